import{s as r}from"./index-IzVtLj5A.js";const e="/assets/worker-B-hJHmXg.js";function t(){return typeof Worker=="function"?new Worker(r(e),{type:"module"}):null}export{t as createWorker};
