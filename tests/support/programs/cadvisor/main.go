// cAdvisor's manager and its Prometheus collector, with the options of the Compose file.
//
// The main package of cAdvisor is in a module of its own that no module proxy has. This one stands for it: the
// same code reads the control groups and writes the metrics.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/google/cadvisor/cache/memory"
	"github.com/google/cadvisor/container"
	info "github.com/google/cadvisor/info/v2"
	"github.com/google/cadvisor/manager"
	"github.com/google/cadvisor/metrics"
	"github.com/google/cadvisor/utils/sysfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/utils/clock"
)

func main() {
	flag.Bool("logtostderr", false, "")
	flag.Bool("store_container_labels", true, "")
	flag.Parse()
	dynamic, longest := true, time.Minute
	interests := container.MetricSet{
		container.CpuUsageMetrics: {}, container.MemoryUsageMetrics: {}, container.NetworkUsageMetrics: {},
		container.DiskIOMetrics: {}, container.ProcessMetrics: {},
	}
	config := manager.HousekeepingConfig{Interval: &longest, AllowDynamic: &dynamic}
	prefixes := []string{"/"}
	containers, err := manager.New(memory.New(2*time.Minute, nil), sysfs.NewRealSysFs(), config, interests,
		http.DefaultClient, prefixes, nil, "", 10*time.Second)
	if err != nil {
		log.Fatal(err)
	}
	if err := containers.Start(); err != nil {
		log.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		metrics.NewPrometheusCollector(containers, metrics.BaseContainerLabels(nil), interests, clock.RealClock{},
			info.RequestOptions{IdType: info.TypeName, Count: 1, Recursive: true}),
		metrics.NewPrometheusMachineCollector(containers, interests))
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	http.HandleFunc("/healthz", func(answer http.ResponseWriter, _ *http.Request) { answer.Write([]byte("ok")) })
	log.Fatal(http.ListenAndServe(":8080", nil))
}
