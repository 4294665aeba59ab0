import{s as r}from"./index-Co6Rt54o.js";const e="/assets/worker-D2iW-HJj.js";function t(){return typeof Worker=="function"?new Worker(r(e),{type:"module"}):null}export{t as createWorker};
