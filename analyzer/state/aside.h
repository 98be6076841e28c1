// SPDX-License-Identifier: Apache-2.0
//
// Aside keeps a part of an object outside of the object, because few objects of the type have that
// part. A copy of the object gets its own copy of the part. memory.h counts the part's bytes.
#pragma once

#include <new>
#include <utility>

#include "analyzer/state/memory.h"

namespace tiercel::state {

template <typename T>
class Aside {
  public:
    Aside() = default;
    Aside(const Aside& other) {
        if (other.part_ != nullptr)
            edit() = *other.part_;
    }
    Aside(Aside&& other) noexcept : part_(std::exchange(other.part_, nullptr)) {}
    Aside& operator=(Aside other) noexcept {
        std::swap(part_, other.part_);
        return *this;
    }
    ~Aside() {
        if (part_ != nullptr) {
            part_->~T();
            memory::release(part_, sizeof(T));
        }
    }

    // The part. If the object has none, the default value of T.
    const T& operator*() const { return part_ != nullptr ? *part_ : kDefault; }
    const T* operator->() const { return &**this; }
    // The part for a change. Makes it if the object has none.
    T& edit() {
        if (part_ == nullptr)
            part_ = new (memory::allocate(sizeof(T))) T{};
        return *part_;
    }

  private:
    static constinit inline const T kDefault{};
    T* part_ = nullptr;
};

} // namespace tiercel::state
