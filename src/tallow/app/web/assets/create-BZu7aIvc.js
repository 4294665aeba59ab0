import{s as r}from"./index-qsZ_sX2d.js";const e="/assets/worker-zf-Djwyz.js";function t(){return typeof Worker=="function"?new Worker(r(e),{type:"module"}):null}export{t as createWorker};
