# The one executable, and the extensions beside it.

add_executable(spark app/main.c)
set_target_properties(spark PROPERTIES
    ENABLE_EXPORTS ON # extensions find spark_…() of the runtime here
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

# Faces, commands and the runtime of extensions enter as objects, not as archives: what only an extension calls, and
# what only a table names, must be in the executable too.
target_link_libraries(spark PRIVATE spark_app)
foreach(layer runtime server workers cli app)
    get_target_property(kind spark_${layer} TYPE)
    if(kind STREQUAL "STATIC_LIBRARY")
        target_sources(spark PRIVATE $<TARGET_OBJECTS:spark_${layer}>)
    endif()
    target_link_libraries(spark PRIVATE spark_${layer})
endforeach()

# An extension sees include/ and nothing else, as an outsider's would.
function(spark_extension name folder output)
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.c)
    if(sources)
        add_library(${name} MODULE ${sources})
        target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/include")
        set_target_properties(${name} PROPERTIES
            PREFIX "" OUTPUT_NAME "${ARGV3}" C_VISIBILITY_PRESET hidden
            LIBRARY_OUTPUT_DIRECTORY "${output}")
    endif()
endfunction()

# CONFIGURE_DEPENDS on the files, not the folders: a new extension is noticed by its first .c.
file(GLOB extension_files CONFIGURE_DEPENDS extensions/*/*.c)
foreach(file IN LISTS extension_files)
    cmake_path(GET file PARENT_PATH folder)
    list(APPEND extension_folders "${folder}")
endforeach()
list(REMOVE_DUPLICATES extension_folders)
set(extension_libraries_god yaml) # what an extension wraps, beside the public header
set(extension_place_hello examples) # to copy, not to run: it is loaded where somebody puts it
foreach(folder IN LISTS extension_folders)
    cmake_path(GET folder FILENAME name)
    if(NOT name STREQUAL "runtime")
        set(place extensions)
        if(DEFINED extension_place_${name})
            set(place "${extension_place_${name}}")
        endif()
        spark_extension(extension_${name} "${folder}" "${CMAKE_BINARY_DIR}/${place}" ${name})
        install(TARGETS extension_${name} LIBRARY DESTINATION "lib/spark/${place}")
        foreach(library IN LISTS extension_libraries_${name})
            target_link_libraries(extension_${name} PRIVATE spark_lib_${library})
        endforeach()
    endif()
endforeach()

# What `make build` builds: no tests.
add_custom_target(programs DEPENDS spark)
foreach(folder IN LISTS extension_folders)
    cmake_path(GET folder FILENAME name)
    if(TARGET extension_${name})
        add_dependencies(programs extension_${name})
    endif()
endforeach()

# Beside the binary, where it looks for them (cli/places/places.c).
file(CREATE_LINK "${CMAKE_SOURCE_DIR}/frontend-static" "${CMAKE_BINARY_DIR}/frontend-static"
     SYMBOLIC)

install(TARGETS spark RUNTIME DESTINATION bin)
install(DIRECTORY include/spark DESTINATION include OPTIONAL)
install(DIRECTORY frontend-static/ DESTINATION share/spark/frontend-static OPTIONAL)
