// The Python module tallow_kernels._compiled.

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <thread>

#include "info.hpp"

NB_MODULE(_compiled, m) {
    m.attr("COMPILER") = COMPILER;
    m.def("instruction_sets", &tallow::instruction_sets);
    m.def("threads", &std::thread::hardware_concurrency);
}
