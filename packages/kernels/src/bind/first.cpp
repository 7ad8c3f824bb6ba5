// first_of(special, generic): a callable that is `special`, and `generic` where that returns
// NotImplemented. What an operation calls when it has a kernel and a body behind it.
#include "bind.hpp"

// after Python.h, which bind.hpp has
#include <structmember.h>

#include <cstddef>

namespace tallow {
namespace {

struct First {
    PyObject_HEAD vectorcallfunc call;
    PyObject *special, *generic;
};

PyObject* call(PyObject* self, PyObject* const* args, size_t count, PyObject* names) {
    auto* first = reinterpret_cast<First*>(self);
    PyObject* out = PyObject_Vectorcall(first->special, args, count, names);
    if (out != Py_NotImplemented) return out;
    Py_DECREF(out);
    return PyObject_Vectorcall(first->generic, args, count, names);
}

int traverse(PyObject* self, visitproc visit, void* arg) {
    auto* first = reinterpret_cast<First*>(self);
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(first->special);
    Py_VISIT(first->generic);
    return 0;
}

int clear(PyObject* self) {
    auto* first = reinterpret_cast<First*>(self);
    Py_CLEAR(first->special);
    Py_CLEAR(first->generic);
    return 0;
}

void destroy(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject* make(PyTypeObject* type, PyObject* args, PyObject*) {
    PyObject *special, *generic;
    if (!PyArg_ParseTuple(args, "OO", &special, &generic)) return nullptr;
    auto* made = reinterpret_cast<First*>(type->tp_alloc(type, 0));
    if (!made) return nullptr;
    made->call = call;
    made->special = Py_NewRef(special), made->generic = Py_NewRef(generic);
    return reinterpret_cast<PyObject*>(made);
}

PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(First, call), READONLY, nullptr},
    {"special", T_OBJECT, offsetof(First, special), READONLY, nullptr},
    {"generic", T_OBJECT, offsetof(First, generic), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(make)},
    {Py_tp_dealloc, reinterpret_cast<void*>(destroy)},
    {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(clear)},
    {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
    {Py_tp_members, members},
    {0, nullptr},
};

PyType_Spec spec{"tallow_kernels.first_of", sizeof(First), 0,
                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL, slots};

}  // namespace

void bind_first(nb::module_& m) { m.attr("first_of") = nb::steal(PyType_FromSpec(&spec)); }

}  // namespace tallow
