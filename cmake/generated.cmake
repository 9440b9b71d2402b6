# Generated sources, reachable as "gen/….h" from core/io up:
#   sql.h, sql.c      the statements of schema/queries/*.sql
#   embed.h, embed.c  migrations, Redis functions, the demo: the binary needs no files
#   system_meta.h, .c what the API says of Directus' own collections

find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(SPARK_GEN_ROOT "${CMAKE_BINARY_DIR}/layers/gen")
set(SPARK_GEN "${SPARK_GEN_ROOT}/gen")
file(MAKE_DIRECTORY "${SPARK_GEN}")

file(GLOB queries CONFIGURE_DEPENDS schema/queries/*.sql)
file(GLOB_RECURSE embedded CONFIGURE_DEPENDS schema/*.sql schema/renamed core/*.lua demo/*.json)
list(FILTER embedded EXCLUDE REGEX "/schema/queries/")
list(SORT queries)
list(SORT embedded)

add_custom_command(
    OUTPUT "${SPARK_GEN}/sql.h" "${SPARK_GEN}/sql.c"
    COMMAND Python3::Interpreter tools/gen_statements.py --out "${SPARK_GEN}" ${queries}
    DEPENDS tools/gen_statements.py ${queries}
    WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
    COMMENT "Generating statements" VERBATIM)

add_custom_command(
    OUTPUT "${SPARK_GEN}/embed.h" "${SPARK_GEN}/embed.c"
    COMMAND Python3::Interpreter tools/embed_files.py --root "${CMAKE_SOURCE_DIR}"
            --out "${SPARK_GEN}" ${embedded}
    DEPENDS tools/embed_files.py ${embedded}
    WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
    COMMENT "Embedding schema, Redis functions and demo" VERBATIM)

add_custom_command(
    OUTPUT "${SPARK_GEN}/system_meta.h" "${SPARK_GEN}/system_meta.c"
    COMMAND Python3::Interpreter tools/gen_system.py --out "${SPARK_GEN}" core/content/schema/system_meta.def
    DEPENDS tools/gen_system.py core/content/schema/system_meta.def
    WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
    COMMENT "Generating the metadata of system collections" VERBATIM)

# routes.h of each family and routes.c, for the server alone: reachable as "gen/routes/….h" from there.
set(SPARK_GEN_ROUTES_ROOT "${CMAKE_BINARY_DIR}/layers/gen_server")
set(SPARK_GEN_ROUTES "${SPARK_GEN_ROUTES_ROOT}/gen")
file(GLOB route_families CONFIGURE_DEPENDS server/api/*/routes.def)
add_custom_command(
    OUTPUT "${SPARK_GEN_ROUTES}/routes.c"
    COMMAND Python3::Interpreter tools/gen_routes.py --out "${SPARK_GEN_ROUTES}"
    DEPENDS tools/gen_routes.py tools/route_table.py ${route_families}
    WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
    COMMENT "Generating routes" VERBATIM)
add_custom_target(spark_gen_routes DEPENDS "${SPARK_GEN_ROUTES}/routes.c")

add_custom_target(spark_gen DEPENDS "${SPARK_GEN}/sql.h" "${SPARK_GEN}/embed.h" "${SPARK_GEN}/system_meta.h")

# sql.c needs struct statement; without the header there is nothing that could use it either.
file(GLOB has_statement CONFIGURE_DEPENDS core/io/pg/db.h)
set(SPARK_GEN_SOURCES "${SPARK_GEN}/embed.c" "${SPARK_GEN}/system_meta.c")
if(has_statement)
    list(APPEND SPARK_GEN_SOURCES "${SPARK_GEN}/sql.c")
endif()
