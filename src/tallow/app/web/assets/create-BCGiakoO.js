import{s as r}from"./index-Dnt6Cno8.js";const e="/assets/worker-DouwT-gq.js";function t(){return typeof Worker=="function"?new Worker(r(e),{type:"module"}):null}export{t as createWorker};
