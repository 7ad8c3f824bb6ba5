// Pooling.
#include "sizes.hpp"

namespace tallow {
namespace {

// A pooling as a convolution of single planes: `images` counts them.
Conv pooling(const Floats& x, const Sizes& kernel, const How& how, const Sizes& count) {
    Conv c = describe(1, 1, 1, {height(x), x.shape(-1)}, pair(kernel, 1), how);
    const auto windows = pair(count, 1);
    c.images = x.shape(0) * x.shape(1), c.out_height = windows[0], c.out_width = windows[1];
    return c;
}

nb::object max_pool(nb::handle x, Sizes kernel, Sizes stride, Sizes padding, Sizes dilation,
                    Sizes count) {
    const Dense input(x, may_be_copied(x));
    if (!spatial(input) || input.size() == 0) return not_implemented();
    const Conv c = pooling(input, kernel, {stride, padding, dilation}, count);
    Made out = input.ndim() == 3 ? Made{input.shape(0), input.shape(1), c.out_width}
                                 : Made{input.shape(0), input.shape(1), c.out_height, c.out_width};
    unlocked(input.size(), [&] { kernels().max_pool(c, input.data(), out.data()); });
    return out.object();
}

nb::object max_pool_grad(nb::handle g, nb::handle x, nb::handle, Sizes kernel, Sizes stride,
                         Sizes padding, Sizes dilation, Sizes count) {
    const Dense d(g, may_be_copied(g)), input(x, may_be_copied(x));
    if (!spatial(input) || !d.ok() || input.size() == 0) return not_implemented();
    const Conv c = pooling(input, kernel, {stride, padding, dilation}, count);
    Made out(input);
    unlocked(input.size(), [&] { kernels().max_pool_grad(c, d.data(), input.data(), out.data()); });
    return out.object();
}

nb::object pool_sum(nb::handle x, Sizes kernel, Sizes stride, Sizes padding, Sizes count) {
    const Dense input(x, may_be_copied(x));
    if (!spatial(input) || input.size() == 0) return not_implemented();
    const nb::tuple once = input.ndim() == 3 ? nb::make_tuple(1) : nb::make_tuple(1, 1);
    const Conv c = pooling(input, kernel, {stride, padding, once}, count);
    Made out = input.ndim() == 3 ? Made{input.shape(0), input.shape(1), c.out_width}
                                 : Made{input.shape(0), input.shape(1), c.out_height, c.out_width};
    unlocked(input.size(), [&] { kernels().pool_sum(c, input.data(), out.data()); });
    return out.object();
}

nb::object pool_spread(nb::handle g, Sizes size, Sizes kernel, Sizes stride, Sizes padding,
                       Sizes count) {
    const Dense d(g, may_be_copied(g));
    if (!spatial(d) || d.size() == 0) return not_implemented();
    const nb::tuple once = d.ndim() == 3 ? nb::make_tuple(1) : nb::make_tuple(1, 1);
    Conv c = pooling(d, kernel, {stride, padding, once}, count);
    const auto image = pair(size, 1);
    c.height = image[0], c.width = image[1];
    Made out = d.ndim() == 3 ? Made{d.shape(0), d.shape(1), c.width}
                             : Made{d.shape(0), d.shape(1), c.height, c.width};
    unlocked(c.images * c.height * c.width,
             [&] { kernels().pool_spread(c, d.data(), out.data()); });
    return out.object();
}

}  // namespace

void bind_pools(nb::module_& m) {
    using nb::literals::operator""_a;
    m.def("max_pool", &max_pool, nb::arg(), nb::kw_only(), "kernel"_a, "stride"_a, "padding"_a,
          "dilation"_a, "count"_a);
    m.def("max_pool_grad", &max_pool_grad, nb::arg(), nb::arg(), nb::arg(), nb::kw_only(),
          "kernel"_a, "stride"_a, "padding"_a, "dilation"_a, "count"_a);
    m.def("pool_sum", &pool_sum, nb::arg(), nb::kw_only(), "kernel"_a, "stride"_a, "padding"_a,
          "count"_a);
    m.def("pool_spread", &pool_spread, nb::arg(), nb::kw_only(), "size"_a, "kernel"_a, "stride"_a,
          "padding"_a, "count"_a);
}

}  // namespace tallow
