import{r as t}from"./index-ClqjObF-.js";const e=t.createContext({});function n(){return t.useContext(e)}export{e as O,n as u};
