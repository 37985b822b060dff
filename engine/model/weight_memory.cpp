// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/weight_memory.h"

#include <sys/mman.h>

namespace zigzag {

std::shared_ptr<void> allocateWeights(std::size_t bytes)
{
    void *memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return nullptr;
    ::madvise(memory, bytes, MADV_HUGEPAGE); // fewer TLB misses while weights stream through; harmless where refused
    return {memory, [bytes](void *pointer) { ::munmap(pointer, bytes); }};
}

} // namespace zigzag
