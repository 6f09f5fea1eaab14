# Language level, warnings, hardening and instrumentation for every target of the project.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

add_library(mqttrpc_compile INTERFACE)
# uthash must report a failed allocation, not exit.
target_compile_definitions(mqttrpc_compile INTERFACE _GNU_SOURCE HASH_NONFATAL_OOM=1)
target_include_directories(mqttrpc_compile INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(mqttrpc_compile INTERFACE
  -Wall -Wextra -Wformat=2 -Wmissing-prototypes -Wold-style-definition -Wpointer-arith
  -Wshadow -Wstrict-prototypes -Wundef -Wvla -Wwrite-strings
  -Wno-missing-field-initializers -Wno-unused-parameter
  -fno-common -fstack-protector-strong)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # clang does not accept the comments in uthash's macros
  target_compile_options(mqttrpc_compile INTERFACE -Wimplicit-fallthrough)
endif()
if(MQTTRPC_WERROR)
  target_compile_options(mqttrpc_compile INTERFACE -Werror)
endif()
if(MQTTRPC_SANITIZE)
  list(JOIN MQTTRPC_SANITIZE "," mqttrpc_sanitize)
  target_compile_options(mqttrpc_compile INTERFACE
    -fsanitize=${mqttrpc_sanitize} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(mqttrpc_compile INTERFACE -fsanitize=${mqttrpc_sanitize})
elseif(CMAKE_BUILD_TYPE MATCHES "^Rel")
  target_compile_options(mqttrpc_compile INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(MQTTRPC_BUILD_FUZZERS)
  # The libraries, not only the targets, must tell the fuzzer where an input led.
  target_compile_options(mqttrpc_compile INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(MQTTRPC_COVERAGE)
  target_compile_options(mqttrpc_compile INTERFACE --coverage)
  target_link_options(mqttrpc_compile INTERFACE --coverage)
endif()
