// fastify and node-postgres: response schemas, named statements, streams with back-pressure.
import fs from "node:fs";
import { Readable } from "node:stream";
import Fastify from "fastify";
import fastJson from "fast-json-stringify";
import pg from "pg";
import QueryStream from "pg-query-stream";

pg.types.setTypeParser(pg.types.builtins.INT8, Number);
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 8 });
const app = Fastify({ logger: false });

const text = { type: "string" }, maybeText = { type: ["string", "null"] }, integer = { type: "integer" };
const time = { type: "string", format: "date-time" }, flag = { type: "boolean" };
const line = {
  type: "object",
  properties: {
    line: integer, product: integer, quantity: integer, unit_price: text, discount: text, backordered: flag, memo: maybeText,
  },
};
const customer = {
  type: "object",
  properties: {
    number: integer, code: text, name: text, email: maybeText, phone: maybeText, tier: integer, active: flag,
    credit_limit: text, balance: text, country: text, city: text, street: text, notes: maybeText, created_at: time,
  },
};
const orderFields = {
  number: integer, customer_number: integer, status: text, placed_at: time,
  shipped_at: { type: ["string", "null"], format: "date-time" }, currency: text, total: text, discount: text,
  freight: text, rush: flag, channel: text, external_ref: text, ship_name: text, ship_city: text, notes: maybeText,
  updated_at: time,
};
const order = { type: "object", properties: orderFields };
const wholeOrder = {
  type: "object",
  properties: { ...orderFields, customer, lines: { type: "array", items: line } },
};
const page = (items) => ({
  type: "object",
  properties: { data: { type: "array", items }, next_cursor: maybeText },
});

const ORDER = `order_id AS number, cust_no AS customer_number,
  CASE status WHEN '10' THEN 'open' WHEN '20' THEN 'allocated' WHEN '30' THEN 'shipped' WHEN '40' THEN 'invoiced'
    WHEN '90' THEN 'cancelled' END AS status,
  placed_at, shipped_at, currency, total, discount, freight, rush, channel, external_ref, ship_name, ship_city, notes,
  updated_at`;
const LINE = "line_no AS line, product_id AS product, qty AS quantity, unit_price, discount, backordered, memo";
const CUSTOMER = `cust_no AS number, trim(code) AS code, name, email, phone, tier, active, credit_limit, balance, country,
  city, street, notes, created_at`;
const CODES = { open: "10", allocated: "20", shipped: "30", invoiced: "40", cancelled: "90" };

app.get("/orders/:number", {
  schema: { params: { type: "object", properties: { number: integer } }, response: { 200: order } },
}, async (request, reply) => {
  const { rows } = await pool.query({
    name: "get", text: `SELECT ${ORDER} FROM orders WHERE order_id = $1`, values: [request.params.number],
  });
  if (rows.length === 0) return reply.code(404).send({ detail: "not found" });
  return rows[0];
});

const query = {
  type: "object",
  required: ["status"],
  properties: {
    status: { type: "string", enum: Object.keys(CODES) }, placed_before: time, below: integer,
    limit: { type: "integer", minimum: 1, maximum: 200, default: 50 },
  },
};

async function ordersOf(client, { status, placed_before, below, limit }) {
  const { rows } = await client.query({
    name: "list",
    text: `SELECT ${ORDER} FROM orders WHERE status = $1 AND (placed_at, order_id) < ($2, $3)
      ORDER BY placed_at DESC, order_id DESC LIMIT $4`,
    values: [CODES[status], placed_before ?? "infinity", below ?? Number.MAX_SAFE_INTEGER, limit + 1],
  });
  const data = rows.slice(0, limit), last = data.at(-1);
  const next_cursor = rows.length > limit ? `${last.placed_at.toISOString()},${last.number}` : null;
  return { data, next_cursor };
}

app.get("/orders", { schema: { querystring: query, response: { 200: page(order) } } }, (request) =>
  ordersOf(pool, request.query));

app.get("/orders-with-lines", { schema: { querystring: query, response: { 200: page(wholeOrder) } } }, async (request) => {
  const found = await ordersOf(pool, request.query);
  const numbers = found.data.map((row) => row.number);
  const [customers, lines] = await Promise.all([
    pool.query({
      name: "customers", text: `SELECT ${CUSTOMER} FROM customers WHERE cust_no = ANY($1::bigint[])`,
      values: [[...new Set(found.data.map((row) => row.customer_number))]],
    }),
    pool.query({
      name: "lines",
      text: `SELECT order_id, ${LINE} FROM order_lines WHERE order_id = ANY($1::bigint[]) ORDER BY order_id, line_no`,
      values: [numbers],
    }),
  ]);
  const byNumber = new Map(customers.rows.map((row) => [row.number, row]));
  const byOrder = new Map(found.data.map((row) => [row.number, (row.lines = [])]));
  for (const row of lines.rows) byOrder.get(row.order_id).push(row);
  for (const row of found.data) row.customer = byNumber.get(row.customer_number);
  return found;
});

const body = {
  type: "object",
  required: ["customer_number", "currency", "total", "channel", "ship_name", "ship_city", "lines"],
  additionalProperties: false,
  properties: {
    customer_number: integer, currency: text, total: text, channel: text, ship_name: text, ship_city: text,
    notes: maybeText,
    lines: {
      type: "array",
      items: {
        type: "object", required: ["line", "product", "quantity", "unit_price"], additionalProperties: false,
        properties: { line: integer, product: integer, quantity: integer, unit_price: text, memo: maybeText },
      },
    },
  },
};

app.post("/orders", { schema: { body, response: { 201: wholeOrder } } }, async (request, reply) => {
  const { lines, ...head } = request.body;
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const { rows: [made] } = await client.query({
      name: "insert order",
      text: `INSERT INTO orders (cust_no, currency, total, channel, ship_name, ship_city, notes)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${ORDER}`,
      values: [head.customer_number, head.currency, head.total, head.channel, head.ship_name, head.ship_city, head.notes],
    });
    const stored = await client.query({
      name: "insert lines",
      text: `INSERT INTO order_lines (order_id, line_no, product_id, qty, unit_price, memo)
        SELECT $1, * FROM unnest($2::int[], $3::bigint[], $4::int[], $5::numeric[], $6::text[]) RETURNING ${LINE}`,
      values: [made.number, ...["line", "product", "quantity", "unit_price", "memo"].map((f) => lines.map((l) => l[f]))],
    });
    await client.query("COMMIT");
    return reply.code(201).send({ ...made, lines: stored.rows });
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
});

const EXPORT = `SELECT ${ORDER} FROM orders WHERE order_id <= $1 ORDER BY order_id`;
const writeOrder = fastJson(order);
const writeCell = (value) => {
  const cell = value === null ? "" : value instanceof Date ? value.toISOString() : String(value);
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
};

async function* written(writeRow, head = "") {
  const client = await pool.connect();
  try {
    let chunk = head;
    for await (const row of client.query(new QueryStream(EXPORT, [200000], { batchSize: 1000, highWaterMark: 1000 }))) {
      chunk += writeRow(row);
      if (chunk.length > 65536) { yield chunk; chunk = ""; }
    }
    yield chunk;
  } finally {
    client.release();
  }
}

app.get("/orders.ndjson", (request, reply) =>
  reply.type("application/x-ndjson").send(Readable.from(written((row) => writeOrder(row) + "\n"), { objectMode: false })));
app.get("/orders.csv", (request, reply) => {
  const head = Object.keys(orderFields).join(",") + "\r\n";
  const rows = written((row) => Object.values(row).map(writeCell).join(",") + "\r\n", head);
  return reply.type("text/csv").send(Readable.from(rows, { objectMode: false }));
});

await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
