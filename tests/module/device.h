// SPDX-License-Identifier: Apache-2.0
//
// A session with the kernel module, opened as privd opens one, for tests without an analyzer.
#pragma once

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "kernel/module/uapi.h"
#include "shared/os/mapping.h"
#include "shared/os/unique_fd.h"

namespace tiercel::module {

using os::UniqueFd;

inline tiercel_start wanting_everything(std::uint32_t ring_bytes = 64 << 10) {
    tiercel_start start{};
    std::memset(start.config.interest, 0xff, sizeof start.config.interest);
    start.config.tracepoints = TIERCEL_TP_SIGNAL;
    start.config.snaplen = 80;
    start.config.args_max = 4096;
    start.config.ring_bytes = ring_bytes;
    return start;
}

class Device {
  public:
    Device() : fd_(open("/dev/tiercel", O_RDWR | O_CLOEXEC)) {
        if (!fd_.valid())
            throw std::runtime_error("cannot open /dev/tiercel");
    }
    // Returns 0 or an errno.
    int start(tiercel_start& request) const {
        return ioctl(fd_.get(), TIERCEL_IOC_START, &request) == 0 ? 0 : errno;
    }
    [[nodiscard]] UniqueFd get(unsigned kind, unsigned index = 0) const {
        return UniqueFd(ioctl(fd_.get(), TIERCEL_IOC_FD, kind << 16 | index));
    }

  private:
    UniqueFd fd_;
};

// One attached ring, read by a consumer that can write false positions.
class Consumer {
  public:
    explicit Consumer(std::uint32_t ring_bytes = 64 << 10) : size_(ring_bytes) {
        tiercel_start request = wanting_everything(ring_bytes);
        if (device_.start(request) != 0)
            throw std::runtime_error("the module refused a session");
        cpus_ = request.cpus;
        ring_ = device_.get(TIERCEL_FD_RING);
        const auto page = static_cast<std::size_t>(getpagesize());
        consumer_ = map(ring_, page, 0, PROT_READ | PROT_WRITE);
        producer_ = map(ring_, page + 2 * std::size_t{size_}, getpagesize(), PROT_READ);
        counters_ = map(device_.get(TIERCEL_FD_COUNTERS), cpus_ * sizeof(tiercel_cpu_counters), 0,
                        PROT_READ);
        attach();
    }
    void attach() { link_ = device_.get(TIERCEL_FD_LINK); }
    void detach() { link_.reset(); }
    [[nodiscard]] const Device& device() const { return device_; }
    [[nodiscard]] const UniqueFd& ring() const { return ring_; }

    [[nodiscard]] std::uint64_t produced() const { return word(producer_).load(); }
    [[nodiscard]] std::uint64_t consumed() const { return word(consumer_).load(); }
    void claim(std::uint64_t position) { word(consumer_).store(position); }
    [[nodiscard]] std::uint64_t events() const { return sum(0); }
    [[nodiscard]] std::uint64_t full() const { return sum(1); }

    // Whether the records between the positions follow one another without a gap.
    [[nodiscard]] bool whole(std::uint64_t from, std::uint64_t to) const {
        const std::byte* data = producer_.data() + getpagesize();
        while (from < to) {
            std::uint32_t length = 0;
            std::memcpy(&length, data + (from & (size_ - 1)), sizeof length);
            from += (length + 8ULL + 7) & ~7ULL;
        }
        return from == to;
    }

  private:
    static os::Mapping map(const UniqueFd& fd, std::size_t bytes, off_t offset, int protection) {
        auto mapping = os::Mapping::shared(fd, bytes, offset, protection, "the module's pages");
        if (!mapping)
            throw std::runtime_error(std::strerror(mapping.error().number));
        return std::move(*mapping);
    }
    static std::atomic<std::uint64_t>& word(const os::Mapping& mapping) {
        return *reinterpret_cast<std::atomic<std::uint64_t>*>(
            const_cast<std::byte*>(mapping.data()));
    }
    [[nodiscard]] std::uint64_t sum(std::size_t field) const {
        std::uint64_t total = 0;
        for (std::size_t cpu = 0; cpu < cpus_; ++cpu)
            total += reinterpret_cast<const std::atomic<std::uint64_t>*>(
                counters_.data())[cpu * sizeof(tiercel_cpu_counters) / 8 + field];
        return total;
    }

    Device device_;
    std::uint32_t size_, cpus_ = 0;
    UniqueFd ring_, link_;
    os::Mapping consumer_, producer_, counters_;
};

} // namespace tiercel::module
