import{s as r}from"./index-BQ9JVG1c.js";const e="/assets/worker-BnYF2F1-.js";function t(){return typeof Worker=="function"?new Worker(r(e),{type:"module"}):null}export{t as createWorker};
