// wrapper(...): the method Op.wrap of core, which puts a Tensor around the array that an operation
// computed, with a Node where it is recorded and a View where it may share its operand's memory.
//
// The slots of these classes are read and written where they lie in the objects. What is not an
// array of NumPy, or out of the ordinary (several outputs, the first use of a plan, watched nodes),
// is left to the method as written in Python.
#include "bind.hpp"

// after Python.h, which bind.hpp has
#include <structmember.h>

#include <vector>

namespace tallow {
namespace {

nb::object owned(PyObject* object) {
    if (!object) throw nb::python_error();
    return nb::steal(object);
}

nb::object get(PyObject* object, PyObject* name) { return owned(PyObject_GetAttr(object, name)); }

// A name in `__slots__`: where it is in an object.
class Slot {
  public:
    Slot(nb::handle cls, const char* name) {
        const nb::object member = cls.attr(name);
        if (Py_TYPE(member.ptr()) != &PyMemberDescr_Type) throw nb::type_error(name);
        offset_ = reinterpret_cast<PyMemberDescrObject*>(member.ptr())->d_member->offset;
    }
    PyObject* of(PyObject* object) const { return place(object); }
    // In an object that is new, so that nothing is there.
    void set(PyObject* object, PyObject* value) const { place(object) = Py_NewRef(value); }
    void set(PyObject* object, nb::object value) const { place(object) = value.release().ptr(); }

  private:
    PyObject*& place(PyObject* object) const {
        return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + offset_);
    }
    Py_ssize_t offset_;
};

std::vector<Slot> slots_of(nb::handle cls, std::initializer_list<const char*> names) {
    std::vector<Slot> slots;
    for (const char* name : names) slots.emplace_back(cls, name);
    return slots;
}

struct Name {
    PyObject* text;  // interned, as names in code are: to be compared by address
    Name(const char* name) : text(PyUnicode_InternFromString(name)) {}
    operator PyObject*() const { return text; }
};

// What is known of core, for as long as the process lives.
struct Core {
    nb::object tensor, node, view, python, state, tick, unrecorded, nothing, zero;
    Name plans{"plans"}, is_view{"view"}, enabled{"enabled"}, made_by{"node"}, active{"active"},
        kept{"kept"}, extras{"extras"}, needs{"needs"}, out{"out"}, shapes{"shapes"}, key{"key"},
        index{"index"}, base{"base"}, extra_values{"extra_values"};
    Slot array, x_node, requires_grad;
    std::vector<Slot> empty, counts;  // of a tensor
    Slot alias, plan, edges, tensors, node_extras, shape, dtype, sequence;
    std::vector<Slot> unused;  // of a node
    Slot parent, shown, op, params, source;

    Core(nb::handle tensor_type, nb::handle node_type, nb::handle view_type)
        : tensor(nb::borrow(tensor_type)),
          node(nb::borrow(node_type)),
          view(nb::borrow(view_type)),
          zero(nb::int_(0)),
          array(tensor, "array"),
          x_node(tensor, "node"),
          requires_grad(tensor, "_requires_grad"),
          empty(slots_of(tensor, {"grad", "hooks"})),
          counts(slots_of(tensor, {"version", "changed"})),
          alias(tensor, "alias"),
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
          source(view, "source") {}

    nb::object make(const nb::object& cls) const {
        return owned(PyType_GenericAlloc(reinterpret_cast<PyTypeObject*>(cls.ptr()), 0));
    }
    bool is_tensor(PyObject* x) const {
        return Py_TYPE(x) == reinterpret_cast<PyTypeObject*>(tensor.ptr()) ||
               PyObject_IsInstance(x, tensor.ptr()) == 1;
    }
};

const Core* core = nullptr;

nb::object shape_of(PyObject* array) {
    auto* a = reinterpret_cast<PyArrayObject*>(array);
    return owned(PyArray_IntTupleFromIntp(PyArray_NDIM(a), PyArray_DIMS(a)));
}

// One call of an operation.
struct Call {
    PyObject *op, *operands, *params, *out, *mask;

    PyObject* operand(Py_ssize_t i) const { return PyTuple_GET_ITEM(operands, i); }

    // The plan for the mask if there is one and it makes plain nodes: else nothing.
    nb::object plan() const {
        const nb::object plans = get(op, core->plans);
        PyObject* found = PyDict_GetItemWithError(plans.ptr(), mask);
        if (!found || !get(found, core->made_by).is(core->node)) return {};
        return nb::borrow(found);
    }

    // The operands at `places`, as a list; where they are edges, what computed them.
    nb::object list(const nb::object& places, bool edges) const {
        const Py_ssize_t count = PyTuple_GET_SIZE(places.ptr());
        nb::object made = owned(PyList_New(count));
        for (Py_ssize_t i = 0; i < count; ++i) {
            PyObject* x = operand(PyLong_AsSsize_t(PyTuple_GET_ITEM(places.ptr(), i)));
            PyObject* node = edges ? core->x_node.of(x) : Py_None;
            PyList_SET_ITEM(made.ptr(), i, Py_NewRef(node != Py_None ? node : x));
        }
        return made;
    }

    // What a name that is no operand's stands for; nothing for arrays that must be copied.
    nb::object extra(const nb::object& plan, PyObject* name, bool view) const {
        if (name == core->out) return nb::borrow(out);
        if (name == core->needs) return get(plan.ptr(), core->needs);
        if (name != core->shapes)
            return (name == core->key || name == core->index) && !view
                       ? nb::object()
                       : nb::borrow(PyDict_GetItemWithError(params, name));
        const Py_ssize_t count = PyTuple_GET_SIZE(operands);
        nb::object shapes = owned(PyTuple_New(count));
        for (Py_ssize_t i = 0; i < count; ++i) {
            PyObject* x = operand(i);
            PyObject* array = core->is_tensor(x) ? core->array.of(x) : nullptr;
            nb::object shape = !array                      ? owned(PyTuple_New(0))
                               : PyArray_CheckExact(array) ? shape_of(array)
                                                           : nb::borrow(array).attr("shape");
            PyTuple_SET_ITEM(shapes.ptr(), i, shape.release().ptr());
        }
        return shapes;
    }

    nb::object extras(const nb::object& plan, bool view) const {
        const nb::object names = get(plan.ptr(), core->extras);
        const Py_ssize_t count = PyTuple_GET_SIZE(names.ptr());
        if (!count) return core->nothing;
        nb::object made = owned(PyList_New(count));
        for (Py_ssize_t i = 0; i < count; ++i) {
            nb::object value = extra(plan, PyTuple_GET_ITEM(names.ptr(), i), view);
            if (!value.is_valid()) {
                PyErr_Clear();
                PyObject* given[] = {plan.ptr(), operands, params, out};
                return owned(PyObject_VectorcallMethod(core->extra_values, given, 4, nullptr));
            }
            PyList_SET_ITEM(made.ptr(), i, value.release().ptr());
        }
        return made;
    }

    nb::object node(const nb::object& plan, const nb::object& active, bool view) const {
        nb::object node = core->make(core->node);
        PyObject* made = node.ptr();
        for (const Slot& slot : core->unused) slot.set(made, Py_None);
        core->plan.set(made, plan);
        core->edges.set(made, list(active, true));
        core->tensors.set(made, list(get(plan.ptr(), core->kept), false));
        core->node_extras.set(made, extras(plan, view));
        core->shape.set(made, shape_of(out));
        core->dtype.set(made, reinterpret_cast<PyObject*>(
                                  PyArray_DESCR(reinterpret_cast<PyArrayObject*>(out))));
        core->sequence.set(made, owned(PyObject_CallNoArgs(core->tick.ptr())));
        return node;
    }

    // Does `out` share the memory of an array?
    bool shows(PyObject* array) const {
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

    nb::object view(PyObject* parent, bool recorded) const {
        nb::object view = core->make(core->view);
        PyObject* made = view.ptr();
        core->parent.set(made, parent);
        core->shown.set(made, core->array.of(parent));
        core->op.set(made, op);
        core->params.set(made, params);
        const bool enabled = recorded || get(core->state.ptr(), core->enabled).is(Py_True);
        core->source.set(made, enabled ? core->x_node.of(parent) : core->unrecorded.ptr());
        return view;
    }

    // The tensor, or nothing where Python is to make it.
    nb::object tensor() const {
        if (!PyArray_CheckExact(out) || !PyTuple_CheckExact(operands) || !PyDict_CheckExact(params))
            return {};
        const bool may_show = get(op, core->is_view).is(Py_True), masked = mask != core->zero.ptr();
        nb::object found, active;
        if (masked) {
            found = plan();
            if (!found.is_valid()) return {};
            active = get(found.ptr(), core->active);
        }
        const bool recorded = masked && PyTuple_GET_SIZE(active.ptr());
        nb::object tensor = core->make(core->tensor);
        PyObject* made = tensor.ptr();
        for (const Slot& slot : core->empty) slot.set(made, Py_None);
        for (const Slot& slot : core->counts) slot.set(made, core->zero);
        core->array.set(made, out);
        core->requires_grad.set(made, recorded ? Py_True : Py_False);
        core->x_node.set(made, recorded ? node(found, active, may_show) : nb::none());
        PyObject* parent = may_show ? operand(0) : nullptr;
        const bool shown = parent && core->is_tensor(parent) && shows(core->array.of(parent));
        core->alias.set(made, shown ? view(parent, recorded) : nb::none());
        return tensor;
    }
};

PyObject* wrap(PyObject* op, PyObject* const* args, Py_ssize_t count) {
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "wrap: expected operands, params, out and mask");
        return nullptr;
    }
    try {
        const Call call{op, args[0], args[1], args[2], args[3]};
        nb::object made = call.tensor();
        if (made.is_valid()) return made.release().ptr();
        PyObject* given[] = {op, args[0], args[1], args[2], args[3]};
        return PyObject_Vectorcall(core->python.ptr(), given, 5, nullptr);
    } catch (nb::python_error& error) {
        error.restore();
        return nullptr;
    }
}

PyMethodDef method{"wrap", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(wrap)),
                   METH_FASTCALL, "The tensors around `out`: Op.wrap."};

nb::object wrapper(nb::handle op, nb::handle tensor, nb::handle view, nb::handle node,
                   nb::handle state, nb::handle tick, nb::handle unrecorded, nb::handle nothing) {
    auto* known = new Core(tensor, node, view);  // which stays: Python's objects outlive the module
    known->python = op.attr("wrap");
    known->state = nb::borrow(state);
    known->tick = nb::borrow(tick);
    known->unrecorded = nb::borrow(unrecorded);
    known->nothing = nb::borrow(nothing);
    core = known;
    return owned(PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(op.ptr()), &method));
}

}  // namespace

void bind_wrap(nb::module_& m) { m.def("wrapper", &wrapper); }

}  // namespace tallow
