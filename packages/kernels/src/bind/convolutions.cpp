// Convolution.
#include "sizes.hpp"

namespace tallow {
namespace {

int64_t windows(int64_t n, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
    return (n + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

int64_t work(const Conv& c) {
    return c.images * c.groups * c.out * c.out_height * c.out_width * c.in * c.kernel_y *
           c.kernel_x / 16;
}

nb::object conv(nb::handle x, nb::handle weight, nb::handle bias, Sizes stride, Sizes padding,
                Sizes dilation, int64_t groups) {
    const Dense input(x, may_be_copied(x));
    const Floats w(weight), b(bias);
    if (!spatial(input) || !w.ok() || w.ndim() != input.ndim() || input.size() == 0 ||
        w.size() == 0)
        return not_implemented();
    if (!bias.is_none() && !b.ok()) return not_implemented();
    Conv c = describe(groups, w.shape(1), w.shape(0) / groups, {height(input), input.shape(-1)},
                      {height(w), w.shape(-1)}, {stride, padding, dilation});
    c.images = input.shape(0);
    c.out_height = windows(c.height, c.kernel_y, c.stride_y, c.padding_y, c.dilation_y);
    c.out_width = windows(c.width, c.kernel_x, c.stride_x, c.padding_x, c.dilation_x);
    if (c.out_height <= 0 || c.out_width <= 0) return not_implemented();
    Made out = input.ndim() == 3 ? Made{c.images, w.shape(0), c.out_width}
                                 : Made{c.images, w.shape(0), c.out_height, c.out_width};
    unlocked(work(c), [&] {
        kernels().conv(c, input.data(), w.data(), bias.is_none() ? nullptr : b.data(), out.data());
    });
    return out.object();
}

nb::object conv_grad_input(nb::handle g, nb::handle weight, Sizes size, Sizes stride, Sizes padding,
                           Sizes dilation, int64_t groups) {
    const Dense d(g, may_be_copied(g));
    const Floats w(weight);
    if (!spatial(d) || !w.ok() || w.ndim() != d.ndim() || d.size() == 0 || w.size() == 0)
        return not_implemented();
    Conv c = describe(groups, w.shape(1), w.shape(0) / groups, pair(size, 1),
                      {height(w), w.shape(-1)}, {stride, padding, dilation});
    c.images = d.shape(0), c.out_height = height(d), c.out_width = d.shape(-1);
    Made out = d.ndim() == 3 ? Made{c.images, c.in * groups, c.width}
                             : Made{c.images, c.in * groups, c.height, c.width};
    unlocked(work(c), [&] { kernels().conv_by_input(c, d.data(), w.data(), out.data()); });
    return out.object();
}

nb::object conv_grad_weight(nb::handle g, nb::handle x, Sizes kernel, Sizes stride, Sizes padding,
                            Sizes dilation, int64_t groups) {
    const Dense d(g, may_be_copied(g)), input(x, may_be_copied(x));
    if (!spatial(d) || !input.ok() || input.ndim() != d.ndim() || d.size() == 0 ||
        input.size() == 0)
        return not_implemented();
    Conv c =
        describe(groups, input.shape(1) / groups, d.shape(1) / groups,
                 {height(input), input.shape(-1)}, pair(kernel, 1), {stride, padding, dilation});
    c.images = d.shape(0), c.out_height = height(d), c.out_width = d.shape(-1);
    Made out = d.ndim() == 3 ? Made{d.shape(1), c.in, c.kernel_x}
                             : Made{d.shape(1), c.in, c.kernel_y, c.kernel_x};
    unlocked(work(c), [&] { kernels().conv_by_weight(c, d.data(), input.data(), out.data()); });
    return out.object();
}

}  // namespace

void bind_convolutions(nb::module_& m) {
    using nb::literals::operator""_a;
    m.def("set_conv_precision", [](int which) { conv_precision = Precision(which); });
    m.def("conv", &conv, nb::arg(), nb::arg(), nb::arg().none(), nb::kw_only(), "stride"_a,
          "padding"_a, "dilation"_a, "groups"_a);
    m.def("conv_grad_input", &conv_grad_input, nb::arg(), nb::arg(), nb::kw_only(), "size"_a,
          "stride"_a, "padding"_a, "dilation"_a, "groups"_a);
    m.def("conv_grad_weight", &conv_grad_weight, nb::arg(), nb::arg(), nb::kw_only(), "kernel"_a,
          "stride"_a, "padding"_a, "dilation"_a, "groups"_a);
}

}  // namespace tallow
