// Stands for Loki: takes lines at Loki's addresses and stores them in VictoriaLogs, which runs beside it.
//
// With -health it asks the running program and ends, as Loki's own health check does.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

const store = "http://127.0.0.1:9428"

var paths = map[string]string{
	"/otlp/v1/logs":      "/insert/opentelemetry/v1/logs",
	"/loki/api/v1/push":  "/insert/loki/api/v1/push",
	"/ready":             "/health",
	"/loki/api/v1/query": "/select/logsql/query", // in the query language of VictoriaLogs
}

func main() {
	for _, argument := range os.Args[1:] {
		if argument == "-health" {
			answer, err := http.Get("http://127.0.0.1:3100/ready")
			if err != nil || answer.StatusCode != http.StatusOK {
				os.Exit(1)
			}
			return
		}
	}
	if _, err := os.Stat("/etc/loki/config/loki.yml"); err != nil {
		log.Fatal(err)
	}
	child := exec.Command("/usr/bin/victoria-logs", "-storageDataPath=/loki", "-httpListenAddr=127.0.0.1:9428",
		"-retentionPeriod=100y")
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	if err := child.Start(); err != nil {
		log.Fatal(err)
	}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stopped
		child.Process.Signal(syscall.SIGTERM)
		child.Wait()
		os.Exit(0)
	}()
	target, _ := url.Parse(store)
	proxy := &httputil.ReverseProxy{Rewrite: func(request *httputil.ProxyRequest) {
		request.SetURL(target)
		if path, known := paths[request.In.URL.Path]; known {
			request.Out.URL.Path = path
		}
	}}
	log.Fatal(http.ListenAndServe(":3100", proxy))
}
