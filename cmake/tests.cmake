# tests/unit/<layer>/test_*.c   label unit, may use that layer and those below
# tests/db/<layer>/test_*.c      label db, real PostgreSQL and Redis named by the environment
# tests/db/*.sh               label db, $1 is the superuser's URL of the same server
# tests/stack/test_*.c           label stack, how much stack calls need: on build/release too
# tests/real/test_*.c         label real, needs the real data: make test-real
# tests/fuzz/fuzz_*.c            libFuzzer in the fuzz preset; elsewhere its corpus is replayed, label unit
# tests/ext/fixtures/<name>/*.c  extensions that misbehave, built to build/tests/ext

find_library(CMOCKA cmocka)
if(NOT CMOCKA)
    message(STATUS "no cmocka: building without tests (tools/install.sh test)")
    return()
endif()

set(view "${CMAKE_BINARY_DIR}/layers/support")
file(MAKE_DIRECTORY "${view}")
file(CREATE_LINK "${CMAKE_SOURCE_DIR}/tests/support" "${view}/support" SYMBOLIC)

# What a test of no particular layer is linked with: everything.
add_library(spark_everything INTERFACE)
target_link_libraries(spark_everything INTERFACE spark_app spark_server spark_workers spark_cli
                      spark_lib_pq spark_lib_hiredis spark_lib_jansson)

file(GLOB support CONFIGURE_DEPENDS tests/support/*.c)
list(FILTER support EXCLUDE REGEX "replay\\.c$")

function(spark_test name label library)
    add_executable(${name} ${ARGN})
    target_include_directories(${name} PRIVATE "${view}")
    target_link_libraries(${name} PRIVATE ${library} ${CMOCKA})
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/${label}")
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
    set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 300
                         ENVIRONMENT "SPARK_BUILD_DIR=${CMAKE_BINARY_DIR}")
endfunction()

if(NOT SPARK_SANITIZE STREQUAL "fuzz")
    file(GLOB files CONFIGURE_DEPENDS tests/unit/*/test_*.c)
    foreach(file IN LISTS files)
        cmake_path(GET file STEM module)
        cmake_path(GET file PARENT_PATH folder)
        cmake_path(GET folder FILENAME layer)
        string(REGEX REPLACE "^test_" "" module "${module}")
        spark_test(unit.${layer}.${module} unit spark_${layer} "${file}")
    endforeach()

    file(GLOB files CONFIGURE_DEPENDS tests/db/*.sh)
    foreach(file IN LISTS files)
        cmake_path(GET file STEM module)
        add_test(NAME db.${module} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
                 COMMAND sh -c "exec \"$1\" \"$SPARK_TEST_DATABASE_ADMIN_URL\"" sh "${file}")
        set_tests_properties(db.${module} PROPERTIES LABELS db TIMEOUT 300 RESOURCE_LOCK database)
    endforeach()

    file(GLOB files CONFIGURE_DEPENDS tests/db/*/test_*.c)
    foreach(file IN LISTS files)
        cmake_path(GET file STEM module)
        string(REGEX REPLACE "^test_" "" module "${module}")
        spark_test(db.${module} db spark_everything "${file}" ${support})
        # They share one database server: one at a time, beside the unit tests.
        set_tests_properties(db.${module} PROPERTIES RESOURCE_LOCK database)
    endforeach()
endif()

if(NOT SPARK_SANITIZE STREQUAL "fuzz")
    file(GLOB files CONFIGURE_DEPENDS tests/stack/test_*.c)
    foreach(file IN LISTS files)
        cmake_path(GET file STEM module)
        string(REGEX REPLACE "^test_" "" module "${module}")
        spark_test(stack.${module} stack spark_everything "${file}" ${support})
    endforeach()
endif()

# tests/real/test_*.c: on data that is not ours to ship; skipped with a sentence where it is absent.
if(NOT SPARK_SANITIZE STREQUAL "fuzz")
    file(GLOB files CONFIGURE_DEPENDS tests/real/test_*.c)
    foreach(file IN LISTS files)
        cmake_path(GET file STEM module)
        string(REGEX REPLACE "^test_" "" module "${module}")
        spark_test(real.${module} real spark_everything "${file}" ${support})
    endforeach()
endif()

file(GLOB files CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
foreach(file IN LISTS files)
    cmake_path(GET file STEM fuzzer)
    string(REGEX REPLACE "^fuzz_" "" parser "${fuzzer}")
    if(SPARK_SANITIZE STREQUAL "fuzz")
        add_executable(${fuzzer} "${file}")
        target_link_options(${fuzzer} PRIVATE -fsanitize=fuzzer)
        set_target_properties(${fuzzer} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
        target_link_libraries(${fuzzer} PRIVATE spark_everything)
    else()
        spark_test(corpus.${parser} unit spark_everything "${file}" tests/support/replay.c)
        set_tests_properties(corpus.${parser} PROPERTIES
            ENVIRONMENT "SPARK_CORPUS=${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${parser}")
    endif()
endforeach()

file(GLOB fixture_files CONFIGURE_DEPENDS tests/ext/fixtures/*/*.c)
foreach(file IN LISTS fixture_files)
    cmake_path(GET file PARENT_PATH folder)
    list(APPEND fixture_folders "${folder}")
endforeach()
list(REMOVE_DUPLICATES fixture_folders)
foreach(folder IN LISTS fixture_folders)
    cmake_path(GET folder FILENAME name)
    spark_extension(fixture_${name} "${folder}" "${CMAKE_BINARY_DIR}/tests/ext" ${name})
endforeach()
