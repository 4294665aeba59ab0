import{s as r}from"./index-DksXlfPI.js";const o="/assets/worker-Crv70oqc.js";function t(){return r(o)}export{t as createWorker};
