// A partner's program: the generated types say what it may ask and what it gets.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[]; exitCode: number };
declare const console: { log(text: string): void };

const api = createClient<paths>({ baseUrl: process.argv[2] ?? "", headers: { "X-API-Key": process.argv[3] ?? "" } });

const page = await api.GET("/api/v1/items", { params: { query: { limit: 2, sort: ["-price"], active: true } } });
if (page.error) throw new Error(page.error.code);
const numbers: string[] = page.data.data.map((item) => item.number);

const one = await api.GET("/api/v1/items/{number}", { params: { path: { number: numbers[0] ?? "" } } });
const item = one.data as components["schemas"]["Item"];
const price: string = item.price; // money is exact: text, never a float

const refused = await api.GET("/api/v1/items/{number}", { params: { path: { number: "none such" } } });
const code: string | undefined = refused.error?.code;

const conditions = { "order.status[in]": "open,shipped", "customer.name[ilike]": "%a%" };
const billed = await api.GET("/api/v1/invoices", { params: { query: { parents: conditions } }, querySerializer: { object: { style: "form", explode: true } } });
if (billed.error) throw new Error(billed.error.code);

console.log(JSON.stringify({ numbers, number: item.number, price, code }));
