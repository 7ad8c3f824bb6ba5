// Call::tensors(): a Tensor around the array that an operation computed, with a Node where it is
// recorded and a View where it may share its operand's memory.
//
// The slots of these classes are read and written where they lie in the objects. What is not an
// array of NumPy, or out of the ordinary (several outputs, watched nodes), is left to Op.wrap as
// written in Python.
#include "core.hpp"

namespace tallow {
namespace {

nb::object make(const nb::object& cls) {
    return owned(PyType_GenericAlloc(reinterpret_cast<PyTypeObject*>(cls.ptr()), 0));
}

std::vector<Slot> slots_of(nb::handle cls, std::initializer_list<const char*> names) {
    std::vector<Slot> slots;
    for (const char* name : names) slots.emplace_back(cls, name);
    return slots;
}

nb::object shape_of(PyObject* array) {
    auto* a = reinterpret_cast<PyArrayObject*>(array);
    return owned(PyArray_IntTupleFromIntp(PyArray_NDIM(a), PyArray_DIMS(a)));
}

nb::object tuple_of(PyObject* const* items, Py_ssize_t count) {
    nb::object made = owned(PyTuple_New(count));
    for (Py_ssize_t i = 0; i < count; ++i) PyTuple_SET_ITEM(made.ptr(), i, Py_NewRef(items[i]));
    return made;
}

void know(nb::handle tensor, nb::handle view, nb::handle node, nb::handle plan, nb::handle state,
          nb::handle batches, nb::handle clock, nb::handle unrecorded, nb::handle nothing,
          nb::handle refresh) {
    auto* known = new Core(tensor, node, view, plan);
    known->state = nb::borrow(state);
    known->batches = nb::borrow(batches);
    known->clock = nb::borrow(clock);
    known->unrecorded = nb::borrow(unrecorded);
    known->nothing = nb::borrow(nothing);
    known->refresh = nb::borrow(refresh);
    core = known;
}

}  // namespace

const Core* core = nullptr;

Core::Core(nb::handle tensor_type, nb::handle node_type, nb::handle view_type, nb::handle plan_type)
    : tensor(nb::borrow(tensor_type)),
      node(nb::borrow(node_type)),
      view(nb::borrow(view_type)),
      recipe(nb::borrow(plan_type)),
      zero(nb::int_(0)),
      array(tensor, "array"),
      x_node(tensor, "node"),
      requires_grad(tensor, "_requires_grad"),
      alias(tensor, "alias"),
      empty(slots_of(tensor, {"grad", "hooks"})),
      counts(slots_of(tensor, {"version", "changed"})),
      plan(node, "plan"),
      edges(node, "edges"),
      tensors(node, "tensors"),
      node_extras(node, "extras"),
      shape(node, "shape"),
      dtype(node, "dtype"),
      sequence(node, "sequence"),
      unused(slots_of(node, {"hooks", "retained", "spoiled"})),
      parent(view, "parent"),
      shown(view, "shown"),
      op(view, "op"),
      params(view, "params"),
      source(view, "source"),
      active(recipe, "active"),
      kept(recipe, "kept"),
      extras(recipe, "extras"),
      needs(recipe, "needs") {}

PyObject* Call::param(PyObject* name) const {
    for (Py_ssize_t i = 0;; ++i)
        if (PyTuple_GET_ITEM(names, i) == name) return values[i];
}

nb::object Call::params() const {
    nb::object made = owned(PyDict_New());
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); ++i)
        if (PyDict_SetItem(made.ptr(), PyTuple_GET_ITEM(names, i), values[i]) < 0)
            throw nb::python_error();
    return made;
}

// The plan for the mask.
nb::object Call::plan() const {
    const nb::object key = owned(PyLong_FromUnsignedLongLong(mask));
    PyObject* found = PyDict_GetItemWithError(plans, key.ptr());
    if (found) return nb::borrow(found);
    return owned(PyObject_CallMethodOneArg(op, core->make_plan, key.ptr()));
}

// The operands at `places`, as a list; where they are edges, what computed them.
nb::object Call::list(PyObject* places, bool edges) const {
    const Py_ssize_t length = PyTuple_GET_SIZE(places);
    nb::object made = owned(PyList_New(length));
    for (Py_ssize_t i = 0; i < length; ++i) {
        PyObject* x = operands[PyLong_AsSsize_t(PyTuple_GET_ITEM(places, i))];
        PyObject* node = edges ? core->x_node.of(x) : Py_None;
        PyList_SET_ITEM(made.ptr(), i, Py_NewRef(node != Py_None ? node : x));
    }
    return made;
}

// What a name that is no operand's stands for; nothing for arrays that must be copied.
nb::object Call::extra(PyObject* plan, PyObject* name) const {
    if (name == core->out) return nb::borrow(out);
    if (name == core->needs_name) return nb::borrow(core->needs.of(plan));
    if (name != core->shapes)
        return (name == core->key || name == core->index) && !may_show ? nb::object()
                                                                       : nb::borrow(param(name));
    nb::object shapes = owned(PyTuple_New(count));
    for (Py_ssize_t i = 0; i < count; ++i) {
        PyObject* array = core->is_tensor(operands[i]) ? core->array.of(operands[i]) : nullptr;
        nb::object shape = !array                      ? owned(PyTuple_New(0))
                           : PyArray_CheckExact(array) ? shape_of(array)
                                                       : get(array, core->shape_name);
        PyTuple_SET_ITEM(shapes.ptr(), i, shape.release().ptr());
    }
    return shapes;
}

nb::object Call::extras(PyObject* plan) const {
    PyObject* wanted = core->extras.of(plan);
    const Py_ssize_t length = PyTuple_GET_SIZE(wanted);
    if (!length) return core->nothing;
    nb::object made = owned(PyList_New(length));
    for (Py_ssize_t i = 0; i < length; ++i) {
        nb::object value = extra(plan, PyTuple_GET_ITEM(wanted, i));
        if (!value.is_valid()) {
            const nb::object all = tuple_of(operands, count), words = params();
            PyObject* given[] = {plan, all.ptr(), words.ptr(), out};
            return owned(PyObject_VectorcallMethod(core->extra_values, given, 4, nullptr));
        }
        PyList_SET_ITEM(made.ptr(), i, value.release().ptr());
    }
    return made;
}

nb::object Call::node(const nb::object& plan) const {
    nb::object node = make(core->node);
    PyObject* made = node.ptr();
    for (const Slot& slot : core->unused) slot.set(made, Py_None);
    core->plan.set(made, plan);
    core->edges.set(made, list(core->active.of(plan.ptr()), true));
    core->tensors.set(made, list(core->kept.of(plan.ptr()), false));
    core->node_extras.set(made, extras(plan.ptr()));
    core->shape.set(made, shape_of(out));
    core->dtype.set(
        made, reinterpret_cast<PyObject*>(PyArray_DESCR(reinterpret_cast<PyArrayObject*>(out))));
    core->sequence.set(made, owned(PyIter_Next(core->clock.ptr())));
    return node;
}

// Does `out` share the memory of an array?
bool Call::shows(PyObject* array) const {
    if (!PyArray_Check(array)) return false;
    PyObject* owner = PyArray_BASE(reinterpret_cast<PyArrayObject*>(array));
    nb::object base = nb::borrow(out);
    do {
        // What is no array is as_strided's stand-in for one.
        base = PyArray_Check(base.ptr())
                   ? nb::borrow(PyArray_BASE(reinterpret_cast<PyArrayObject*>(base.ptr())))
                   : nb::getattr(base, nb::handle(core->base.text), nb::none());
        if (base.is_valid() && (base.is(array) || base.is(owner))) return true;
    } while (base.is_valid() && !base.is_none());
    return false;
}

nb::object Call::view(PyObject* parent, bool recorded) const {
    nb::object view = make(core->view);
    PyObject* made = view.ptr();
    core->parent.set(made, parent);
    core->shown.set(made, core->array.of(parent));
    core->op.set(made, op);
    core->params.set(made, params());
    const bool enabled = recorded || get(core->state.ptr(), core->enabled).is(Py_True);
    core->source.set(made, enabled ? core->x_node.of(parent) : core->unrecorded.ptr());
    return view;
}

nb::object Call::in_python() const {
    const nb::object all = tuple_of(operands, count), words = params(),
                     bits = owned(PyLong_FromUnsignedLongLong(mask));
    PyObject* given[] = {op, all.ptr(), words.ptr(), out, bits.ptr()};
    return owned(PyObject_VectorcallMethod(core->wrap, given, 5, nullptr));
}

nb::object Call::tensors() const {
    if (!PyArray_CheckExact(out)) return in_python();
    if (mask && !get(core->recipe.ptr(), core->made_by).is(core->node)) return in_python();
    const nb::object found = mask ? plan() : nb::object();
    const bool recorded = mask && PyTuple_GET_SIZE(core->active.of(found.ptr()));
    nb::object tensor = make(core->tensor);
    PyObject* made = tensor.ptr();
    for (const Slot& slot : core->empty) slot.set(made, Py_None);
    for (const Slot& slot : core->counts) slot.set(made, core->zero);
    core->array.set(made, out);
    core->requires_grad.set(made, recorded ? Py_True : Py_False);
    core->x_node.set(made, recorded ? node(found) : nb::none());
    PyObject* parent = may_show ? operands[0] : nullptr;
    const bool shown = parent && core->is_tensor(parent) && shows(core->array.of(parent));
    core->alias.set(made, shown ? view(parent, recorded) : nb::none());
    return tensor;
}

void bind_wrap(nb::module_& m) { m.def("know", &know); }

}  // namespace tallow
