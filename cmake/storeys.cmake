# spark_storey(name folder [BELOW storey…] [WITHOUT file…] [LIBRARIES …])
#
# Makes the static library spark_<name>. Its only include path is build/storeys/<name>, which
# holds one link <name> → <folder>; together with those of the storeys below it this makes
# "io/pg/db.h" work from core/content and "server/dispatch/request.h" a compile error there.

function(spark_storey name folder)
    cmake_parse_arguments(arg "" "" "BELOW;WITHOUT;LIBRARIES" ${ARGN})

    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.c)
    foreach(file IN LISTS arg_WITHOUT)
        list(REMOVE_ITEM sources "${CMAKE_SOURCE_DIR}/${folder}/${file}")
    endforeach()
    if(name STREQUAL "io")
        list(APPEND sources ${SPARK_GEN_SOURCES})
    endif()

    set(view "${CMAKE_BINARY_DIR}/storeys/${name}")
    file(MAKE_DIRECTORY "${view}")
    file(CREATE_LINK "${CMAKE_SOURCE_DIR}/${folder}" "${view}/${name}" SYMBOLIC)

    set(target spark_${name})
    if(sources)
        add_library(${target} STATIC ${sources})
        set(scope PUBLIC)
        foreach(library IN LISTS arg_LIBRARIES)
            target_link_libraries(${target} PRIVATE spark_lib_${library})
        endforeach()
    else()
        add_library(${target} INTERFACE)
        set(scope INTERFACE)
    endif()

    target_include_directories(${target} ${scope} "${view}")
    target_compile_options(${target} ${scope} "-fmacro-prefix-map=${view}/${name}=${folder}")
    target_link_libraries(${target} ${scope} Threads::Threads m)
    if(name STREQUAL "base")
        target_include_directories(${target} ${scope} "${CMAKE_SOURCE_DIR}/include")
    else()
        add_dependencies(${target} spark_gen)
    endif()
    if(name STREQUAL "io")
        target_include_directories(${target} ${scope} "${SPARK_GEN_ROOT}")
    endif()
    foreach(below IN LISTS arg_BELOW)
        target_link_libraries(${target} ${scope} spark_${below})
    endforeach()
endfunction()
