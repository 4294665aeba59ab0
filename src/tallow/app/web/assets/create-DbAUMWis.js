import{s as r}from"./index-CpzF9FPx.js";const e="/assets/worker-zf-Djwyz.js";function t(){return typeof Worker=="function"?new Worker(r(e),{type:"module"}):null}export{t as createWorker};
