// Optimisers' updates of lists of arrays, in place. False: an array is not a writable float32 one,
// nothing was changed.
#include <algorithm>
#include <cmath>
#include <vector>

#include "bind.hpp"

namespace tallow {
namespace {

constexpr int64_t GRAIN = 1 << 15;  // elements that are worth a thread

// The parameters of a group. Lists are those of weights, gradients and state, in the order of
// `Parameter`; an empty list of state leaves its arrays null.
struct Group {
    std::vector<Parameter> parameters;
    std::vector<int64_t> starts{0};  // where each parameter begins in the line of all elements
    bool ok = true;

    Group(nb::handle weights, nb::handle grads, std::initializer_list<nb::handle> states) {
        each(
            weights,
            [&](size_t, const Floats& x) {
                parameters.push_back({x.writable(), nullptr, nullptr, nullptr, nullptr, x.size()});
                starts.push_back(starts.back() + x.size());
                return x.writable() != nullptr;
            },
            true);
        each(grads, [&](size_t i, const Floats& x) { return parameters[i].grad = x.data(); });
        float* Parameter::* fields[] = {&Parameter::first, &Parameter::second, &Parameter::third};
        float* Parameter::** field = fields;
        for (nb::handle state : states) {
            if (nb::len(state))
                each(state, [&](size_t i, const Floats& x) {
                    return parameters[i].*(*field) = x.writable();
                });
            ++field;
        }
    }

    // take(i, array) for the arrays of a list, as long as all fit.
    template <class Take>
    void each(nb::handle list, const Take& take, bool first = false) {
        size_t i = 0;
        for (nb::handle item : list) {
            const Floats x(item);
            ok = ok && x.ok() &&
                 (first || (i < parameters.size() && x.size() == parameters[i].count));
            if (!ok) return;
            ok = take(i++, x);
        }
        ok = ok && i == parameters.size();
    }

    // step(i, part) on all threads, for the parts of parameters that fall into equal ranges.
    template <class Step>
    void update(const Step& step) const {
        unlocked(starts.back(), [&] {
            parallel_ranges(starts.back(), GRAIN, [&](int64_t begin, int64_t end) {
                size_t i =
                    std::upper_bound(starts.begin(), starts.end(), begin) - starts.begin() - 1;
                for (; begin < end; begin = starts[++i]) {
                    const int64_t from = begin - starts[i];
                    step(i, part(parameters[i], from, std::min(end, starts[i + 1]) - begin));
                }
            });
        });
    }

    static Parameter part(const Parameter& p, int64_t from, int64_t count) {
        auto at = [&](float* x) { return x ? x + from : nullptr; };
        return {p.weight + from, p.grad + from, at(p.first), at(p.second), at(p.third), count};
    }
};

// How many steps each parameter has had, this one included; empty if one is not a float.
std::vector<double> counts(nb::handle steps, size_t expected) {
    std::vector<double> found;
    for (nb::handle step : steps) {
        if (!PyFloat_Check(step.ptr())) return {};
        found.push_back(PyFloat_AS_DOUBLE(step.ptr()));
    }
    if (found.size() != expected) found.clear();
    return found;
}

float sign_of(bool maximize) { return maximize ? -1 : 1; }

bool sgd(nb::handle weights, nb::handle grads, nb::handle buffers, float rate, float momentum,
         float dampening, float decay, bool nesterov, bool maximize) {
    const Group group(weights, grads, {buffers});
    if (!group.ok) return false;
    const SgdStep step{sign_of(maximize), rate, momentum, dampening, decay, nesterov};
    group.update([&](size_t, const Parameter& p) { kernels().sgd(p, step); });
    return true;
}

bool adam(nb::handle weights, nb::handle grads, nb::handle means, nb::handle squares,
          nb::handle maxima, nb::handle steps, float rate, double beta1, double beta2,
          float epsilon, float decay, bool maximize, bool decoupled) {
    const Group group(weights, grads, {means, squares, maxima});
    const std::vector<double> n = counts(steps, group.parameters.size());
    if (!group.ok || n.size() != group.parameters.size()) return false;
    std::vector<AdamStep> settings;
    for (double taken : n)
        settings.push_back({sign_of(maximize), rate, Running(beta1), Running(beta2), epsilon, decay,
                            decoupled, float(1 - std::pow(beta1, taken)),
                            float(1 - std::pow(beta2, taken))});
    group.update([&](size_t i, const Parameter& p) { kernels().adam(p, settings[i]); });
    return true;
}

bool rmsprop(nb::handle weights, nb::handle grads, nb::handle squares, nb::handle buffers,
             nb::handle means, float rate, double alpha, float epsilon, float decay, float momentum,
             bool maximize) {
    const Group group(weights, grads, {squares, buffers, means});
    if (!group.ok) return false;
    const RmspropStep step{sign_of(maximize), rate, Running(alpha), epsilon, decay, momentum};
    group.update([&](size_t, const Parameter& p) { kernels().rmsprop(p, step); });
    return true;
}

bool adagrad(nb::handle weights, nb::handle grads, nb::handle sums, nb::handle steps, double rate,
             double rate_decay, float decay, float epsilon, bool maximize) {
    const Group group(weights, grads, {sums});
    const std::vector<double> n = counts(steps, group.parameters.size());
    if (!group.ok || n.size() != group.parameters.size()) return false;
    group.update([&](size_t i, const Parameter& p) {
        const float now = float(rate / (1 + (n[i] - 1) * rate_decay));
        kernels().adagrad(p, {sign_of(maximize), now, decay, epsilon});
    });
    return true;
}

bool adadelta(nb::handle weights, nb::handle grads, nb::handle squares, nb::handle changes,
              float rate, double rho, float epsilon, float decay, bool maximize) {
    const Group group(weights, grads, {squares, changes});
    if (!group.ok) return false;
    const AdadeltaStep step{sign_of(maximize), rate, Running(rho), epsilon, decay};
    group.update([&](size_t, const Parameter& p) { kernels().adadelta(p, step); });
    return true;
}

}  // namespace

void bind_updates(nb::module_& m) {
    m.def("sgd", &sgd);
    m.def("adam", &adam);
    m.def("rmsprop", &rmsprop);
    m.def("adagrad", &adagrad);
    m.def("adadelta", &adadelta);
}

}  // namespace tallow
