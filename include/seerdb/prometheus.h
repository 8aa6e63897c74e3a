// PrometheusText: everything a database says of itself in the text format that Prometheus scrapes.
#pragma once

#include <string>

#include "seerdb/export.h"
#include "seerdb/health.h"
#include "seerdb/statistics.h"

namespace seerdb {

// Text exposition format 0.0.4 (content type "text/plain; version=0.0.4"), to be returned as it is from the
// program's own /metrics. Every name begins with "seerdb_". Counters end in "_total"; latencies are summaries
// in seconds with the quantiles 0.5, 0.95, 0.99 and 0.999, their _count that of the operations timed; a level
// is the label `level`; a check of health is `seerdb_health{check="..."}`, 0 healthy, 1 degraded, 2
// unhealthy. Times of us in DBStats are seconds here. Pure; about 16 KiB.
SEERDB_EXPORT std::string PrometheusText(const DBStats& stats, const HealthStatus& health);

}  // namespace seerdb
