# One place for what every object file is compiled with.
#
# Asserts stay on in release: they are part of the program (docs/style.md), so NDEBUG is never set.

set(CMAKE_C_STANDARD 23)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # -std=gnu2x with gcc 12 and clang 14
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wpedantic -Werror
                    -fno-omit-frame-pointer)
add_compile_definitions(_GNU_SOURCE H2O_USE_LIBUV=0 SPARK_VERSION="${PROJECT_VERSION}")

# Named places where a test can make a process die (core/base/system/fault.def); never in a release.
option(SPARK_FAULTS "obey SPARK_FAULT=name[:n] in the environment" OFF)
if(SPARK_FAULTS)
    add_compile_definitions(SPARK_FAULTS=1)
endif()

# Asserts and errors name a file as git does, wherever the tree was built.
add_compile_options(-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)

if(SPARK_SANITIZE STREQUAL "address")
    set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(SPARK_SANITIZE STREQUAL "thread")
    set(sanitize -fsanitize=thread)
elseif(SPARK_SANITIZE STREQUAL "fuzz")
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "SPARK_SANITIZE=fuzz needs clang: cmake --preset fuzz")
    endif()
    set(sanitize -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
elseif(SPARK_SANITIZE)
    message(FATAL_ERROR "SPARK_SANITIZE is '${SPARK_SANITIZE}'; use address, thread, fuzz or nothing")
endif()

if(sanitize)
    # -O1 keeps the sanitized tests fast and the stack traces readable.
    add_compile_options(${sanitize} -O1)
    add_link_options(${sanitize})
endif()

# The executable that is shipped is optimised as a whole. Test programs link the same objects without
# that: there are many, and each would be optimised anew.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT sanitize)
    add_compile_options(-flto -ffat-lto-objects)
    add_link_options($<IF:$<STREQUAL:$<TARGET_PROPERTY:NAME>,spark>,-flto=auto,-fno-lto>)
endif()
