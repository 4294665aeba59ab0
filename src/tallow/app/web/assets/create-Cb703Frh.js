import{s as r}from"./index-CY5Ois2W.js";const e="/assets/worker-DouwT-gq.js";function t(){return typeof Worker=="function"?new Worker(r(e),{type:"module"}):null}export{t as createWorker};
