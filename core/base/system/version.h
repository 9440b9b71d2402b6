/* The version of this build, as `spark --version`, /server/health and the workers' rows show it. */
#pragma once

#define SPARK_VERSION "0.1.0"
