// What the compiled calls know of core: its classes, where their slots lie in objects, its names.
#pragma once

#include "bind.hpp"

// after Python.h, which bind.hpp has
#include <structmember.h>

#include <initializer_list>
#include <vector>

namespace tallow {

// A new reference, or the exception that is set.
inline nb::object owned(PyObject* object) {
    if (!object) throw nb::python_error();
    return nb::steal(object);
}

inline nb::object get(PyObject* object, PyObject* name) {
    return owned(PyObject_GetAttr(object, name));
}

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

// A text, interned as names in code are: to be compared by address.
struct Name {
    PyObject* text;
    Name(const char* name) : text(PyUnicode_InternFromString(name)) {}
    operator PyObject*() const { return text; }
};

// For as long as the process lives, since Python's objects outlive the module.
struct Core {
    nb::object tensor, node, view, recipe, state, batches, clock, unrecorded, nothing, refresh,
        zero;
    Name alive{"alive"}, enabled{"enabled"}, base{"base"}, shape_name{"shape"};
    // of an operation
    Name params_name{"params"}, operands_name{"operands"}, variadic{"variadic"}, is_view{"view"},
        plans{"plans"}, make_plan{"plan"}, wrap{"wrap"}, raised{"raised"};
    // of a plan, and what it may want kept
    Name made_by{"node"}, extra_values{"extra_values"}, out{"out"}, needs_name{"needs"},
        shapes{"shapes"}, key{"key"}, index{"index"};
    // of the scope that an operation's function is given
    Name kernels{"_kernels"}, wrapping{"_wrap"};

    Slot array, x_node, requires_grad, alias;
    std::vector<Slot> empty, counts;  // of a tensor
    Slot plan, edges, tensors, node_extras, shape, dtype, sequence;
    std::vector<Slot> unused;                // of a node
    Slot parent, shown, op, params, source;  // of a view
    Slot active, kept, extras, needs;        // of a plan

    Core(nb::handle tensor_type, nb::handle node_type, nb::handle view_type, nb::handle plan_type);

    // A tensor with all that a call reads: one that is only half made is Python's.
    bool is_tensor(PyObject* x) const {
        return PyObject_TypeCheck(x, reinterpret_cast<PyTypeObject*>(tensor.ptr())) &&
               array.of(x) && x_node.of(x) && alias.of(x) && requires_grad.of(x);
    }
};

extern const Core* core;  // nullptr before core has said what it is

// One call of an operation that has computed `out`: its operands, and the values of its parameters
// in the order of their names.
struct Call {
    PyObject *op, *plans;
    bool may_show;  // its result may share the memory of the first operand
    PyObject* const* operands;
    Py_ssize_t count;
    PyObject* names;  // a tuple
    PyObject* const* values;
    PyObject* out;
    uint64_t mask;  // which operands need gradients, where the call is recorded

    // The tensors around `out`, with a node where operands need gradients, and a View where it may
    // share the first operand's memory: what Op.wrap of core makes.
    nb::object tensors() const;

  private:
    PyObject* param(PyObject* name) const;
    nb::object params() const;
    nb::object plan() const;
    nb::object list(PyObject* places, bool edges) const;
    nb::object extra(PyObject* plan, PyObject* name) const;
    nb::object extras(PyObject* plan) const;
    nb::object node(const nb::object& plan) const;
    bool shows(PyObject* array) const;
    nb::object view(PyObject* parent, bool recorded) const;
    nb::object in_python() const;
};

}  // namespace tallow
