// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/engine/cuda/emulator/fiber.h"

#include <boost/context/protected_fixedsize_stack.hpp>

#if defined(__has_feature)
#define ZIGZAG_HAS_FEATURE(name) __has_feature(name)
#else
#define ZIGZAG_HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || ZIGZAG_HAS_FEATURE(address_sanitizer)
#define ZIGZAG_ASAN 1
#include <sanitizer/common_interface_defs.h>
#endif

namespace zigzag::gpu::emulator {

namespace {

constexpr std::size_t stackBytes = 512u << 10; // a kernel's arrays between redzones; pages are taken when touched

} // namespace

Fiber::Fiber()
{
    boost::context::protected_fixedsize_stack allocator(stackBytes);
    const boost::context::stack_context stack = allocator.allocate();
    m_stack = static_cast<char *>(stack.sp) - stack.size;
    m_stackBytes = stack.size;
    m_inside = boost::context::fiber(std::allocator_arg, boost::context::preallocated(stack.sp, stack.size, stack), allocator,
                                     [this](boost::context::fiber &&outside) {
                                         m_outside = std::move(outside);
                                         enter(nullptr);
                                         while (!m_quit) {
                                             (*m_body)();
                                             m_body = nullptr;
                                             suspend();
                                         }
                                         leave(nullptr);
                                         return std::move(m_outside);
                                     });
}

Fiber::~Fiber()
{
    m_quit = true;
    resume();
}

void Fiber::resume()
{
#if defined(ZIGZAG_ASAN)
    __sanitizer_start_switch_fiber(&m_outsideFake, m_stack, m_stackBytes);
#endif
    m_inside = std::move(m_inside).resume();
#if defined(ZIGZAG_ASAN)
    __sanitizer_finish_switch_fiber(m_outsideFake, nullptr, nullptr);
#endif
}

void Fiber::suspend()
{
    leave(&m_insideFake);
    m_outside = std::move(m_outside).resume();
    enter(m_insideFake);
}

void Fiber::enter([[maybe_unused]] const void *fakeStack)
{
#if defined(ZIGZAG_ASAN)
    __sanitizer_finish_switch_fiber(const_cast<void *>(fakeStack), &m_outsideStack, &m_outsideBytes);
#endif
}

void Fiber::leave([[maybe_unused]] void **fakeStack)
{
#if defined(ZIGZAG_ASAN)
    __sanitizer_start_switch_fiber(fakeStack, m_outsideStack, m_outsideBytes);
#endif
}

} // namespace zigzag::gpu::emulator
