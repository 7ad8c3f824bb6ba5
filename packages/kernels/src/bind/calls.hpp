// Functions of Python's with a quicker way for their usual case.
#pragma once

#include "core.hpp"

namespace tallow {

// A way to do what a function does, in one call. `call` gives NotImplemented for what the function
// itself is to do: anything out of the ordinary, and all that is an error.
class Way {
  public:
    virtual ~Way() = default;
    virtual nb::object call(PyObject* const* args, Py_ssize_t count, PyObject* names) const = 0;
    virtual int traverse(visitproc visit, void* arg) const = 0;
};

// The function `op.call` of an operation: it takes the arrays out of the tensors, calls the kernel
// for their type, and puts tensors around the result.
class Operation : public Way {
  public:
    Operation(nb::object op, nb::object scope, nb::object defaults);
    nb::object call(PyObject* const* args, Py_ssize_t count, PyObject* names) const override;
    int traverse(visitproc visit, void* arg) const override;

    // The same of operands, and of a value for the one parameter or nullptr for its defaults;
    // NotImplemented where the kernel raises. What hooks raise, which were called, is raised.
    nb::object attempt(PyObject* const* operands, Py_ssize_t count, PyObject* param) const;

  private:
    // The values are of all parameters, in the order of their names. `attempted`: as above.
    nb::object run(PyObject* const* operands, Py_ssize_t count, PyObject* const* values,
                   bool attempted) const;
    nb::object raised(PyObject* const* arrays, Py_ssize_t count) const;

    nb::object op_, scope_, defaults_, plans_, names_;
    Py_ssize_t operands_, parameters_;  // how many; of operands -1 where there may be any number
    bool view_;
};

// The operation behind what `operation` made; TypeError for anything else.
const Operation& operation_of(nb::handle call);

// The function, with a way.
nb::object quick(nb::handle function, Way* way);

}  // namespace tallow
