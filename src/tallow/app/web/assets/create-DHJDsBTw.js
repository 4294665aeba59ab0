import{s as r}from"./index-BjX4Ekp7.js";const e="/assets/worker-BnYF2F1-.js";function t(){return typeof Worker=="function"?new Worker(r(e),{type:"module"}):null}export{t as createWorker};
