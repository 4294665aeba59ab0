import{s as r}from"./index-CTgORkdo.js";const o="/assets/worker-Crv70oqc.js";function t(){return r(o)}export{t as createWorker};
