#pragma once

#include "../arrays.hpp"
#include "../kernels.hpp"
#include "../threads.hpp"

namespace tallow {

void bind_products(nb::module_& m);
void bind_convolutions(nb::module_& m);
void bind_elementwise(nb::module_& m);
void bind_rows(nb::module_& m);
void bind_updates(nb::module_& m);
void bind_chains(nb::module_& m);
void bind_random(nb::module_& m);
void bind_attention(nb::module_& m);
void bind_recurrent(nb::module_& m);
void bind_scatter(nb::module_& m);
void bind_lines(nb::module_& m);
void bind_solutions(nb::module_& m);
void bind_transforms(nb::module_& m);
void bind_ctc(nb::module_& m);
void bind_logic(nb::module_& m);
void bind_reductions(nb::module_& m);
void bind_pools(nb::module_& m);
void bind_memory(nb::module_& m);
void bind_first(nb::module_& m);
void bind_binary(nb::module_& m);
void bind_filters(nb::module_& m);
void bind_wrap(nb::module_& m);
void bind_calls(nb::module_& m);
void bind_views(nb::module_& m);
void bind_ways(nb::module_& m);
void bind_images(nb::module_& m);
void bind_shorts(nb::module_& m);

}  // namespace tallow
