import{s as r}from"./index-Hn-rihrf.js";const e="/assets/worker-BnYF2F1-.js";function t(){return r(e)}export{t as createWorker};
