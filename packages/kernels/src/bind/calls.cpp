// The type of functions with a quicker way, and the way of operations.
#include "calls.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace tallow {
namespace {

struct Quick {
    PyObject_HEAD vectorcallfunc entry;
    PyObject *function, *dict, *references;
    Way* way;
};

Quick* quick_of(PyObject* self) { return reinterpret_cast<Quick*>(self); }

PyObject* enter(PyObject* self, PyObject* const* args, size_t count, PyObject* names) {
    try {
        nb::object out = quick_of(self)->way->call(args, PyVectorcall_NARGS(count), names);
        if (!out.is(Py_NotImplemented)) return out.release().ptr();
    } catch (nb::python_error& error) {
        error.restore();
        return nullptr;
    }
    return PyObject_Vectorcall(quick_of(self)->function, args, count, names);
}

PyObject* pass_on(PyObject* self, PyObject* const* args, size_t count, PyObject* names) {
    return PyObject_Vectorcall(quick_of(self)->function, args, count, names);
}

int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(quick_of(self)->function);
    Py_VISIT(quick_of(self)->dict);
    return quick_of(self)->way->traverse(visit, arg);
}

int clear(PyObject* self) {
    Py_CLEAR(quick_of(self)->dict);
    return 0;
}

void destroy(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (quick_of(self)->references) PyObject_ClearWeakRefs(self);
    clear(self);
    Py_CLEAR(quick_of(self)->function);
    delete quick_of(self)->way;
    type->tp_free(self);
    Py_DECREF(type);
}

// A method of what it is taken from, as other functions are.
PyObject* bound(PyObject* self, PyObject* object, PyObject*) {
    return object ? PyMethod_New(self, object) : Py_NewRef(self);
}

PyObject* shown(PyObject* self) { return PyObject_Repr(quick_of(self)->function); }

// What it does not have itself is the function's: its code, its scope, its defaults.
PyObject* attribute(PyObject* self, PyObject* name) {
    PyObject* found = PyObject_GenericGetAttr(self, name);
    if (found || !PyErr_ExceptionMatches(PyExc_AttributeError)) return found;
    PyErr_Clear();
    return PyObject_GetAttr(quick_of(self)->function, name);
}

// To pickle and to copy it is its name, as other functions are.
PyObject* reduced(PyObject* self, PyObject*) {
    return PyObject_GetAttrString(self, "__qualname__");
}

PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Quick, entry), READONLY, nullptr},
    {"__func__", T_OBJECT, offsetof(Quick, function), READONLY, nullptr},
    {"__dictoffset__", T_PYSSIZET, offsetof(Quick, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Quick, references), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMethodDef methods[] = {
    {"__reduce__", reduced, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(destroy)},
    {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(clear)},
    {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
    {Py_tp_descr_get, reinterpret_cast<void*>(bound)},
    {Py_tp_repr, reinterpret_cast<void*>(shown)},
    {Py_tp_getattro, reinterpret_cast<void*>(attribute)},
    {Py_tp_members, members},
    {Py_tp_getset, properties},
    {Py_tp_methods, methods},
    {0, nullptr},
};

PyType_Spec spec{"tallow_kernels.function", sizeof(Quick), 0,
                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                     Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                 slots};

PyTypeObject* type = nullptr;

// The parameters' values in the order of their names: those given, else defaults. False if one is
// missing, or one is given that is none.
bool arrange(PyObject* const* given, PyObject* words, PyObject* names, PyObject* defaults,
             PyObject** values) {
    const Py_ssize_t count = PyTuple_GET_SIZE(names), all = words ? PyTuple_GET_SIZE(words) : 0;
    Py_ssize_t used = 0;
    for (Py_ssize_t i = 0; i < count; ++i) {
        PyObject* name = PyTuple_GET_ITEM(names, i);
        Py_ssize_t k = 0;
        while (k < all && PyTuple_GET_ITEM(words, k) != name) ++k;
        values[i] = k < all ? given[k] : PyDict_GetItemWithError(defaults, name);
        if (!values[i]) return false;
        used += k < all;
    }
    return used == all;
}

// What refresh of core does, where there is something to do.
void refresh(PyObject* x) {
    if (!core->is_tensor(x) || core->alias.of(x) == Py_None) return;
    PyObject* view = core->alias.of(x);
    PyObject *parent = core->parent.of(view), *source = core->source.of(view);
    if (core->op.of(view) == Py_None || source == core->unrecorded.ptr()) return;
    if (core->alias.of(parent) != Py_None || core->x_node.of(parent) != source)
        owned(PyObject_CallOneArg(core->refresh.ptr(), x));
}

// A flag of the engine's, which Python would take as true or false.
bool is_true(PyObject* flag) {
    return flag == Py_True || (flag != Py_False && PyObject_IsTrue(flag) == 1);
}

bool is_number(PyObject* x) { return PyFloat_CheckExact(x) || PyLong_CheckExact(x); }

// The arrays of operands, held for as long as a call lasts, with room for parameters behind them.
class Arrays {
  public:
    Arrays(PyObject* const* operands, Py_ssize_t count, Py_ssize_t parameters) : count_(count) {
        if (count + parameters > FEW) many_.reset(new PyObject*[size_t(count + parameters)]);
        for (Py_ssize_t i = 0; i < count; ++i) {
            PyObject* x = operands[i];
            if (core->is_tensor(x)) {
                ++tensors;
                if (is_true(core->requires_grad.of(x))) mask |= uint64_t(1) << std::min(i, LAST);
                x = core->array.of(x);
            }
            all()[i] = Py_NewRef(x);
        }
    }
    ~Arrays() {
        for (Py_ssize_t i = 0; i < count_; ++i) Py_DECREF(all()[i]);
    }
    Arrays(const Arrays&) = delete;

    PyObject** all() { return many_ ? many_.get() : few_; }

    // The kernel for the first that is no number, if there is one.
    nb::object kernel(PyObject* kernels) {
        Py_ssize_t i = 0;
        while (i < count_ - 1 && is_number(all()[i])) ++i;
        auto* kind = reinterpret_cast<PyObject*>(Py_TYPE(all()[i]));
        return nb::borrow(PyDict_GetItemWithError(kernels, kind));
    }

    static constexpr Py_ssize_t FEW = 24, LAST = 63;
    Py_ssize_t tensors = 0;  // how many operands are
    uint64_t mask = 0;       // which need gradients, from LAST on in one bit

  private:
    Py_ssize_t count_;
    PyObject* few_[FEW];
    std::unique_ptr<PyObject*[]> many_;
};

nb::object operation(nb::object op, nb::object function, nb::object defaults) {
    return quick(function, new Operation(op, function.attr("__globals__"), defaults));
}

}  // namespace

Operation::Operation(nb::object op, nb::object scope, nb::object defaults)
    : op_(op),
      scope_(scope),
      defaults_(defaults),
      plans_(get(op.ptr(), core->plans)),
      names_(get(op.ptr(), core->params_name)),
      operands_(get(op.ptr(), core->variadic).is(Py_True)
                    ? -1
                    : PyTuple_GET_SIZE(get(op.ptr(), core->operands_name).ptr())),
      parameters_(PyTuple_GET_SIZE(names_.ptr())),
      view_(get(op.ptr(), core->is_view).is(Py_True)) {}

int Operation::traverse(visitproc visit, void* arg) const {
    Py_VISIT(op_.ptr());
    Py_VISIT(scope_.ptr());
    Py_VISIT(defaults_.ptr());
    return 0;
}

nb::object Operation::call(PyObject* const* args, Py_ssize_t count, PyObject* words) const {
    PyObject* values[16];
    if ((operands_ >= 0 && count != operands_) || !count || parameters_ > 16 ||
        !arrange(args + count, words, names_.ptr(), defaults_.ptr(), values))
        return not_implemented();
    return run(args, count, values, false);
}

nb::object Operation::attempt(PyObject* const* operands, Py_ssize_t count, PyObject* param) const {
    if (param) return run(operands, count, &param, true);
    PyObject* values[16];
    if ((operands_ >= 0 && count != operands_) || parameters_ > 16 ||
        !arrange(nullptr, nullptr, names_.ptr(), defaults_.ptr(), values))
        return not_implemented();
    return run(operands, count, values, true);
}

nb::object Operation::run(PyObject* const* operands, Py_ssize_t count, PyObject* const* values,
                          bool attempted) const {
    PyObject* kernels = PyDict_GetItemWithError(scope_.ptr(), core->kernels);
    PyObject* wrap = PyDict_GetItemWithError(scope_.ptr(), core->wrapping);
    if (!PyDict_CheckExact(kernels) || !PyMethod_Check(wrap) ||  // but a profiler's, or a tape's
        !get(core->batches.ptr(), core->alive).is(core->zero))   // calls of vmap are running
        return not_implemented();
    for (Py_ssize_t i = 0; i < count; ++i) refresh(operands[i]);
    Arrays arrays(operands, count, parameters_);
    const bool number_first = is_number(operands[0]), mixed = arrays.tensors < count;
    nb::object kernel = arrays.kernel(kernels);
    if (!kernel.is_valid() || arrays.mask >> Arrays::LAST ||
        (mixed && arrays.tensors && !number_first &&
         (operands_ < 0 || !core->is_tensor(operands[0]))))
        return not_implemented();
    std::copy_n(values, parameters_, arrays.all() + count);
    nb::object out = nb::steal(PyObject_Vectorcall(kernel.ptr(), arrays.all(), size_t(count),
                                                   parameters_ ? names_.ptr() : nullptr));
    if (!out.is_valid() && attempted && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear();
        return not_implemented();
    }
    if (!arrays.tensors) return out.is_valid() ? out : owned(nullptr);
    if (!out.is_valid()) return raised(arrays.all(), count);
    const bool recorded = arrays.mask && is_true(get(core->state.ptr(), core->enabled).ptr());
    return Call{op_.ptr(), plans_.ptr(), view_,
                operands,  count,        names_.ptr(),
                values,    out.ptr(),    recorded ? arrays.mask : 0}
        .tensors();
}

// Raises what the operation makes of the exception that a kernel raised.
nb::object Operation::raised(PyObject* const* arrays, Py_ssize_t count) const {
    nb::python_error error;
    if (!error.matches(PyExc_Exception)) throw error;
    nb::object all = owned(PyTuple_New(count));
    for (Py_ssize_t i = 0; i < count; ++i) PyTuple_SET_ITEM(all.ptr(), i, Py_NewRef(arrays[i]));
    PyObject* given[] = {op_.ptr(), error.value().ptr(), all.ptr()};
    return owned(PyObject_VectorcallMethod(core->raised, given, 3, nullptr));
}

const Operation& operation_of(nb::handle call) {
    const auto* found = Py_TYPE(call.ptr()) == type
                            ? dynamic_cast<const Operation*>(quick_of(call.ptr())->way)
                            : nullptr;
    if (!found) throw nb::type_error("expected the call of an operation");
    return *found;
}

nb::object quick(nb::handle function, Way* way) {
    std::unique_ptr<Way> kept(way);
    nb::object dict = nb::borrow(function.attr("__dict__")).attr("copy")();
    for (const char* name : {"__module__", "__name__", "__qualname__", "__doc__"})
        dict[name] = function.attr(name);
    dict["__wrapped__"] = function;
    nb::object made = owned(PyType_GenericAlloc(type, 0));
    Quick* quick = quick_of(made.ptr());
    quick->entry = enter;
    quick->function = Py_NewRef(function.ptr());
    quick->dict = dict.release().ptr();
    quick->way = kept.release();
    return made;
}

// From now on all of a function's calls go to Python's.
void leave_way(nb::handle function) {
    if (Py_TYPE(function.ptr()) != type) throw nb::type_error("expected a function with a way");
    quick_of(function.ptr())->entry = pass_on;
}

void bind_calls(nb::module_& m) {
    type = reinterpret_cast<PyTypeObject*>(owned(PyType_FromSpec(&spec)).release().ptr());
    m.attr("function") = nb::borrow(reinterpret_cast<PyObject*>(type));
    m.def("leave_way", &leave_way);
    m.def("operation", &operation);
}

}  // namespace tallow
