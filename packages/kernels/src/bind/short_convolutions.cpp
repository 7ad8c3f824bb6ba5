// Convolutions of images of bfloat16.
#include <optional>
#include <vector>

#include "halves.hpp"
#include "sizes.hpp"

namespace tallow {
namespace {

// Channels of a group fill tiles of 32: with few of them float32 is as fast.
bool suits(const Conv& c) { return c.in >= 16 && c.out >= 16; }

bool is_image(const Halves& x) {
    return x.ok() && x.kind == Short::bfloat16 && x.ndim() == 4 && x.size() > 0;
}

int64_t work(const Conv& c) {
    return c.images * c.groups * c.out * c.out_height * c.out_width * c.in * c.kernel_y *
           c.kernel_x / 64;
}

int64_t windows(int64_t n, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
    return (n + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

nb::object conv(nb::handle x, nb::handle weight, nb::handle bias, Sizes stride, Sizes padding,
                Sizes dilation, int64_t groups) {
    const Halves input(x, true), w(weight, true), b(bias, true);
    if (!is_image(input) || !is_image(w) || (!bias.is_none() && !b.ok())) return not_implemented();
    const npy_intp *size = input.shape(), *kernel = w.shape();
    Conv c = describe(groups, kernel[1], kernel[0] / groups, {size[2], size[3]},
                      {kernel[2], kernel[3]}, {stride, padding, dilation});
    c.images = size[0];
    c.out_height = windows(c.height, c.kernel_y, c.stride_y, c.padding_y, c.dilation_y);
    c.out_width = windows(c.width, c.kernel_x, c.stride_x, c.padding_x, c.dilation_x);
    if (!suits(c) || c.out_height <= 0 || c.out_width <= 0) return not_implemented();
    std::vector<float> shift(bias.is_none() ? 0 : size_t(b.size()));
    if (b.ok()) kernels().shorts->widen(b.kind, b.data(), shift.data(), b.size());
    const npy_intp shape[] = {c.images, kernel[0], c.out_height, c.out_width};
    Made out(4, shape, type_of(input.kind));
    unlocked(work(c), [&] {
        kernels().shorts->conv(c, input.data(), w.data(), b.ok() ? shift.data() : nullptr,
                               out.halves());
    });
    return out.object();
}

nb::object conv_grad_input(nb::handle g, nb::handle weight, Sizes size, Sizes stride, Sizes padding,
                           Sizes dilation, int64_t groups) {
    const Halves d(g, true), w(weight, true);
    if (!is_image(d) || !is_image(w)) return not_implemented();
    const npy_intp* kernel = w.shape();
    Conv c = describe(groups, kernel[1], kernel[0] / groups, pair(size, 1), {kernel[2], kernel[3]},
                      {stride, padding, dilation});
    c.images = d.shape()[0], c.out_height = d.shape()[2], c.out_width = d.shape()[3];
    if (!suits(c) || c.stride_y != 1 || c.stride_x != 1 ||
        c.padding_y > c.dilation_y * (c.kernel_y - 1) ||
        c.padding_x > c.dilation_x * (c.kernel_x - 1))
        return not_implemented();
    const npy_intp shape[] = {c.images, c.in * groups, c.height, c.width};
    Made out(4, shape, type_of(d.kind));
    unlocked(work(c),
             [&] { kernels().shorts->conv_by_input(c, d.data(), w.data(), out.halves()); });
    return out.object();
}

nb::object conv_grad_weight(nb::handle g, nb::handle x, Sizes kernel, Sizes stride, Sizes padding,
                            Sizes dilation, int64_t groups) {
    const Halves d(g, true), input(x, true);
    if (!is_image(d) || !is_image(input)) return not_implemented();
    const npy_intp *size = input.shape(), *by = d.shape();
    Conv c = describe(groups, size[1] / groups, by[1] / groups, {size[2], size[3]}, pair(kernel, 1),
                      {stride, padding, dilation});
    c.images = by[0], c.out_height = by[2], c.out_width = by[3];
    if (!suits(c)) return not_implemented();
    const npy_intp shape[] = {by[1], c.in, c.kernel_y, c.kernel_x};
    Made out(4, shape, type_of(d.kind));
    unlocked(work(c),
             [&] { kernels().shorts->conv_by_weight(c, d.data(), input.data(), out.halves()); });
    return out.object();
}

}  // namespace

void bind_short_convolutions(nb::module_& shorts) {
    using nb::literals::operator""_a;
    shorts.def("conv", &conv, nb::arg(), nb::arg(), nb::arg().none(), nb::kw_only(), "stride"_a,
               "padding"_a, "dilation"_a, "groups"_a);
    shorts.def("conv_grad_input", &conv_grad_input, nb::arg(), nb::arg(), nb::kw_only(), "size"_a,
               "stride"_a, "padding"_a, "dilation"_a, "groups"_a);
    shorts.def("conv_grad_weight", &conv_grad_weight, nb::arg(), nb::arg(), nb::kw_only(),
               "kernel"_a, "stride"_a, "padding"_a, "dilation"_a, "groups"_a);
}

}  // namespace tallow
