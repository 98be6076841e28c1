// SPDX-License-Identifier: Apache-2.0
//
// Uring: an io_uring for the bodies of tests, by raw system calls, so that no library is needed.
#pragma once

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <initializer_list>

namespace tiercel::live {

class Uring {
  public:
    static constexpr unsigned kEntries = 16;

    // `flags`: IORING_SETUP_*. good() is false where this kernel or its settings refuse io_uring.
    explicit Uring(unsigned flags = 0) {
        params_.flags = flags;
        params_.sq_thread_idle = 2000;
        fd_ = static_cast<int>(syscall(SYS_io_uring_setup, kEntries, &params_));
        if (fd_ < 0)
            return;
        submissions_ = map(params_.sq_off.array + params_.sq_entries * 4, IORING_OFF_SQ_RING);
        completions_ = map(params_.cq_off.cqes + params_.cq_entries * sizeof(io_uring_cqe),
                           IORING_OFF_CQ_RING);
        queue_ = reinterpret_cast<io_uring_sqe*>(
            map(params_.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
    }
    [[nodiscard]] bool good() const { return fd_ >= 0; }
    [[nodiscard]] int fd() const { return fd_; }

    // Submits the operations at once and returns the result of the last completion; `waited`
    // completions are waited for.
    long submit(std::initializer_list<io_uring_sqe> operations, unsigned waited) {
        for (const io_uring_sqe& operation : operations)
            put(operation);
        const auto count = static_cast<unsigned>(operations.size());
        if (is_polled())
            syscall(SYS_io_uring_enter, fd_, 0, 0, IORING_ENTER_SQ_WAKEUP, nullptr, 0);
        else
            syscall(SYS_io_uring_enter, fd_, count, waited, IORING_ENTER_GETEVENTS, nullptr, 0);
        long result = -ETIME;
        for (int turns = 0; waited > 0 && turns < 2000; ++turns) {
            while (waited > 0 && take(result))
                --waited;
            if (waited > 0)
                pause_a_moment();
        }
        return result;
    }
    long run(const io_uring_sqe& operation) { return submit({operation}, 1); }

    static void pause_a_moment() {
        const timespec moment{0, 1'000'000};
        nanosleep(&moment, nullptr);
    }

  private:
    char* map(std::size_t bytes, std::uint64_t offset) const {
        return static_cast<char*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_POPULATE, fd_, static_cast<off_t>(offset)));
    }
    static std::uint32_t& at(char* ring, std::uint32_t offset) {
        return *reinterpret_cast<std::uint32_t*>(ring + offset);
    }
    [[nodiscard]] bool is_polled() const { return (params_.flags & IORING_SETUP_SQPOLL) != 0; }

    void put(const io_uring_sqe& operation) {
        std::uint32_t& tail = at(submissions_, params_.sq_off.tail);
        const std::uint32_t slot = tail % params_.sq_entries;
        queue_[slot] = operation;
        queue_[slot].user_data = ++submitted_; // by which old kernels tell completions apart
        at(submissions_, params_.sq_off.array + slot * 4) = slot;
        std::atomic_ref(tail).store(tail + 1, std::memory_order_release);
    }
    bool take(long& result) {
        std::uint32_t& head = at(completions_, params_.cq_off.head);
        if (head ==
            std::atomic_ref(at(completions_, params_.cq_off.tail)).load(std::memory_order_acquire))
            return false;
        const auto* all = reinterpret_cast<io_uring_cqe*>(completions_ + params_.cq_off.cqes);
        result = all[head % params_.cq_entries].res;
        std::atomic_ref(head).store(head + 1, std::memory_order_release);
        return true;
    }

    io_uring_params params_{};
    int fd_;
    std::uint64_t submitted_ = 0;
    char *submissions_ = nullptr, *completions_ = nullptr;
    io_uring_sqe* queue_ = nullptr;
};

// One operation; `third` is a length, a mode or the second descriptor.
inline io_uring_sqe operation(unsigned opcode, int fd, const void* address = nullptr,
                              std::uint32_t third = 0, std::uint64_t offset = 0,
                              std::uint32_t flags = 0) {
    io_uring_sqe sqe{};
    sqe.opcode = static_cast<std::uint8_t>(opcode);
    sqe.fd = fd;
    sqe.addr = reinterpret_cast<std::uintptr_t>(address);
    sqe.len = third;
    sqe.off = offset;
    sqe.open_flags = flags;
    return sqe;
}

} // namespace tiercel::live
