# mqttrpc_add_test(NAME LABEL label TIMEOUT seconds SOURCES file... [LIBRARIES target...]
#                  [ENVIRONMENT VAR=value...] [ARGUMENTS arg...])
# One GLib test program, built as build/tests/NAME and registered with ctest. LABEL (unit,
# integration, fuzz, drift) and TIMEOUT are mandatory: a test without a bound can hang a build.
function(mqttrpc_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT" "SOURCES;LIBRARIES;ENVIRONMENT;ARGUMENTS")
  if(NOT arg_LABEL OR NOT arg_TIMEOUT OR NOT arg_SOURCES)
    message(FATAL_ERROR "mqttrpc_add_test(${name}): LABEL, TIMEOUT and SOURCES are mandatory")
  endif()
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} PkgConfig::GLIB mqttrpc_compile)
  mqttrpc_register_test(${name} ${arg_LABEL} ${arg_TIMEOUT} "${arg_ENVIRONMENT}"
                        $<TARGET_FILE:${name}> ${arg_ARGUMENTS})
endfunction()

# mqttrpc_register_test(NAME LABEL TIMEOUT ENVIRONMENT command...): for tests that are scripts.
function(mqttrpc_register_test name label timeout environment)
  add_test(NAME ${name} COMMAND ${ARGN})
  set(environment "${environment}")
  list(APPEND environment
    "G_TEST_SRCDIR=${PROJECT_SOURCE_DIR}/tests" "G_TEST_BUILDDIR=${PROJECT_BINARY_DIR}/tests"
    "MQTTRPC_BINDIR=${PROJECT_BINARY_DIR}/bin" "MQTTRPC_SRCDIR=${PROJECT_SOURCE_DIR}"
    "ASAN_OPTIONS=detect_stack_use_after_return=1" "UBSAN_OPTIONS=print_stacktrace=1")
  set_tests_properties(${name} PROPERTIES
    LABELS "${label}" TIMEOUT ${timeout} ENVIRONMENT "${environment}")
endfunction()
