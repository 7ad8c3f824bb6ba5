// The Python module tallow_kernels._compiled: what core registers for its operations on the CPU.
#define TALLOW_IMPORTS_NUMPY
#include "bind/bind.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "info.hpp"

namespace {

int import_numpy() {
    import_array1(-1);
    return 0;
}

}  // namespace

NB_MODULE(_compiled, m) {
    if (import_numpy() < 0) throw nanobind::python_error();
    m.attr("COMPILER") = COMPILER;
    m.attr("INSTRUCTION_SET") = tallow::kernels().name;
    m.def("instruction_sets", &tallow::instruction_sets);
    m.def("get_threads", &tallow::get_threads);
    m.def("set_threads", &tallow::set_threads);
    tallow::bind_products(m);
    tallow::bind_convolutions(m);
    tallow::bind_elementwise(m);
    tallow::bind_rows(m);
    tallow::bind_updates(m);
    tallow::bind_chains(m);
    tallow::bind_random(m);
    tallow::bind_attention(m);
    tallow::bind_recurrent(m);
    tallow::bind_scatter(m);
    tallow::bind_lines(m);
    tallow::bind_solutions(m);
    tallow::bind_transforms(m);
    tallow::bind_ctc(m);
    tallow::bind_logic(m);
    tallow::bind_reductions(m);
    tallow::bind_pools(m);
    tallow::bind_memory(m);
    tallow::bind_first(m);
    tallow::bind_binary(m);
    tallow::bind_filters(m);
    tallow::bind_wrap(m);
    tallow::bind_calls(m);
    tallow::bind_views(m);
    tallow::bind_ways(m);
    tallow::bind_images(m);
    tallow::bind_shorts(m);
}
