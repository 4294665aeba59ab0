import{s as r}from"./index-CmlD037J.js";const e="/assets/worker-CX6xwpk6.js";function t(){return typeof Worker=="function"?new Worker(r(e),{type:"module"}):null}export{t as createWorker};
