/* The version of this build, shown by `spark --version`, /server/health and the workers' rows. */
#pragma once

#define SPARK_VERSION "0.1.0"
