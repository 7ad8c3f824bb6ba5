# The module itself: the kernels of src/simd once for each instruction set, and what picks one of them.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)

# Not -ffast-math: NaN, infinities and the sign of 0 keep their meaning, and nothing turns denormals off.
set(KERNEL_OPTIONS -O3 -fno-math-errno -fno-trapping-math -ffp-contract=fast)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  set(INSTRUCTION_SETS v2 v3 v4)
  set(X86 ON)
else()
  set(INSTRUCTION_SETS generic)
endif()

file(GLOB KERNEL_SOURCES CONFIGURE_DEPENDS src/simd/*.cpp)
nanobind_add_module(
  _compiled NB_STATIC
  src/module.cpp src/info.cpp src/dispatch.cpp src/threads.cpp
  src/bind/convolutions.cpp src/bind/elementwise.cpp src/bind/products.cpp src/bind/rows.cpp src/bind/updates.cpp
)
target_compile_definitions(_compiled PRIVATE COMPILER="${COMPILER}")
target_link_libraries(_compiled PRIVATE Python::NumPy)
find_package(Threads REQUIRED)
target_link_libraries(_compiled PRIVATE Threads::Threads)
if(X86)
  target_compile_definitions(_compiled PRIVATE X86)
endif()

foreach(SET ${INSTRUCTION_SETS})
  add_library(kernels_${SET} OBJECT ${KERNEL_SOURCES})
  target_compile_definitions(kernels_${SET} PRIVATE ISA=${SET})
  target_compile_options(kernels_${SET} PRIVATE ${KERNEL_OPTIONS})
  if(X86)
    target_compile_options(kernels_${SET} PRIVATE -march=x86-64-${SET})
  endif()
  target_sources(_compiled PRIVATE $<TARGET_OBJECTS:kernels_${SET}>)
endforeach()
install(TARGETS _compiled LIBRARY DESTINATION tallow_kernels)
