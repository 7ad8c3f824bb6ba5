// What becomes of the memory of arrays that go.
#include "../memory.hpp"

#include "bind.hpp"

namespace tallow {

void bind_memory(nb::module_& m) {
    m.def("install_memory", &install_memory);
    m.def("empty_memory", &empty_memory);
    m.def("limit_memory", &limit_memory);
    m.def("memory_statistics", [] {  // allocated, at most allocated, kept, limit of kept: in bytes
        const MemoryStatistics now = memory_statistics();
        return nb::make_tuple(now.allocated, now.allocated_peak, now.kept, now.limit);
    });
}

}  // namespace tallow
