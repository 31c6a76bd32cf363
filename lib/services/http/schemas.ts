/** Schemas that the descriptions of several services need. They describe; what checks requests are the codecs. */

import { z } from "zod";

/** A public key. */
export const keySchema: z.ZodType = z.string().regex(/^0[23][0-9a-f]{64}$/).describe("A public key");

/** A UUID, as transports have one. */
export const uuidSchema: z.ZodType = z.string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/).describe("The id of a transport");

/** What tells about a failed log-in, in every service. */
export const authErrorSchema: z.ZodType = z.object({ error: z.object({ message: z.string(), code: z.int() }) });
