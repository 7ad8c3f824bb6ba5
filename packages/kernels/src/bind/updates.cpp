// Optimisers' updates of lists of arrays, in place. False: an array is not a writable float32 one,
// nothing was changed.
#include <cmath>
#include <vector>

#include "bind.hpp"

namespace tallow {
namespace {

// The data of several lists of arrays, each list as long as the first; `ok` if all of them can be
// worked on.
struct Lists {
    std::vector<std::vector<float*>> data;
    std::vector<int64_t> sizes;
    int64_t elements = 0;
    bool ok = true;

    explicit Lists(std::initializer_list<nb::handle> lists) {
        for (nb::handle list : lists) {
            std::vector<float*> pointers;
            size_t i = 0;
            for (nb::handle item : list) {
                const Floats floats(item);
                float* pointer = floats.ok() ? floats.writable() : nullptr;
                if (!pointer && !(floats.ok() && floats.size() == 0)) ok = false;
                if (!ok) return;
                if (data.empty())
                    sizes.push_back(floats.size()), elements += floats.size();
                else if (i >= sizes.size() || sizes[i] != floats.size())
                    ok = false;
                pointers.push_back(pointer);
                ++i;
            }
            if (i != sizes.size()) ok = false;
            data.push_back(std::move(pointers));
        }
    }
};

bool sgd(nb::handle weights, nb::handle grads, nb::handle buffers, float rate, float momentum,
         float dampening, float decay, bool nesterov) {
    const bool with_momentum = momentum != 0;
    const Lists lists = with_momentum ? Lists{weights, grads, buffers} : Lists{weights, grads};
    if (!lists.ok) return false;
    unlocked(lists.elements, [&] {
        for (size_t i = 0; i < lists.sizes.size(); ++i)
            kernels().sgd(lists.data[0][i], with_momentum ? lists.data[2][i] : nullptr,
                          lists.data[1][i], lists.sizes[i], rate, momentum, dampening, decay,
                          nesterov);
    });
    return true;
}

// `steps` holds 0-d float32 arrays: how many steps each array has had, this one included.
bool adam(nb::handle weights, nb::handle grads, nb::handle means, nb::handle squares,
          nb::handle steps, float rate, double beta1, double beta2, float epsilon, float decay,
          bool decoupled) {
    const Lists lists{weights, grads, means, squares};
    std::vector<AdamStep> settings;
    for (nb::handle item : steps) {
        const Floats step(item);
        if (!step.ok() || step.size() != 1) return false;
        const double n = *step.data();
        settings.push_back({rate, float(beta1), float(beta2), epsilon, decay,
                            float(1 - std::pow(beta1, n)), float(1 - std::pow(beta2, n)),
                            decoupled});
    }
    if (!lists.ok || settings.size() != lists.sizes.size()) return false;
    unlocked(lists.elements, [&] {
        const auto& d = lists.data;
        for (size_t i = 0; i < lists.sizes.size(); ++i)
            kernels().adam(d[0][i], d[2][i], d[3][i], d[1][i], lists.sizes[i], settings[i]);
    });
    return true;
}

}  // namespace

void bind_updates(nb::module_& m) {
    m.def("sgd", &sgd);
    m.def("adam", &adam);
}

}  // namespace tallow
