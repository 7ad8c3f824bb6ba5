// Linear filters whose outputs feed back: one sample after another in time, rows on all threads.
#include <algorithm>

#include "bind.hpp"

namespace tallow {
namespace {

constexpr int MOST = 16;  // states of a filter; those with more run by blocks

// A row of `time` samples through a filter with a state z in double precision (the transposed
// direct form II). K states known here, or, with K = 0, as many as `states` says.
template <int K>
void filter_row(const float* x, float* y, int64_t time, const double* b, const double* a,
                int states) {
    const int count = K ? K : states;
    double z[MOST + 1] = {};
    for (int64_t t = 0; t < time; ++t) {
        const double in = x[t], out = b[0] * in + z[0];
        for (int k = 0; k < count; ++k) z[k] = z[k + 1] + b[k + 1] * in - a[k] * out;
        y[t] = float(out);
    }
}

// x (N, C, T), coefficients b (C, M) and a (C, K), as core's operation has them.
nb::object recursive_filter(nb::handle x, nb::handle b, nb::handle a) {
    const Floats input(x), ahead(b), back(a);
    if (!input.ok() || !ahead.ok() || !back.ok() || input.size() == 0) return not_implemented();
    const int64_t channels = input.shape(1), time = input.shape(2);
    const int64_t inputs = ahead.shape(1), outputs = back.shape(1);
    const int states = int(std::max(inputs - 1, outputs));
    if (states > MOST) return not_implemented();
    Made out(input);
    unlocked(input.size(), [&] {
        parallel(input.size() / time, [&](int64_t row) {
            const int64_t channel = row % channels;
            double forward[MOST + 1] = {}, feedback[MOST] = {};
            std::copy_n(ahead.data() + channel * inputs, inputs, forward);
            std::copy_n(back.data() + channel * outputs, outputs, feedback);
            const auto run = states == 1   ? filter_row<1>
                             : states == 2 ? filter_row<2>
                                           : filter_row<0>;
            run(input.data() + row * time, out.data() + row * time, time, forward, feedback,
                states);
        });
    });
    return out.object();
}

}  // namespace

void bind_filters(nb::module_& m) { m.def("recursive_filter", &recursive_filter); }

}  // namespace tallow
