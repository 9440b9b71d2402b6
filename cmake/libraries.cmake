# Outside libraries, each as spark_lib_<name>. A layer names the ones it wraps.

find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

function(spark_library name)
    pkg_check_modules(${name} IMPORTED_TARGET ${ARGN})
    if(NOT ${name}_FOUND)
        message(FATAL_ERROR "missing ${ARGN}: run tools/install.sh run")
    endif()
    add_library(spark_lib_${name} INTERFACE)
    target_link_libraries(spark_lib_${name} INTERFACE PkgConfig::${name})
endfunction()

spark_library(h2o libh2o-evloop)
spark_library(ssl openssl)
spark_library(pq libpq)
spark_library(hiredis hiredis)
spark_library(jansson jansson)
spark_library(jwt libjwt)
spark_library(pcre2 libpcre2-8)
spark_library(argon2 libargon2)
spark_library(curl libcurl)
spark_library(utf8proc libutf8proc)
spark_library(expat expat)
spark_library(idn2 libidn2)
spark_library(yaml yaml-0.1)

add_library(spark_lib_dl INTERFACE)
target_link_libraries(spark_lib_dl INTERFACE ${CMAKE_DL_LIBS})

add_library(spark_lib_m INTERFACE)
target_link_libraries(spark_lib_m INTERFACE m)
