import { x } from "./helper.ts";
export default x;
