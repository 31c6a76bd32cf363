/** The words of the transport kinds that the visor itself deals with. Tested in tests/visor/public_visors_test.ts. */

/** The wire's word for TCP by address book. */
export const STCP_TYPE = "stcp";

/** The wire's word for TCP by address resolver. */
export const STCPR_TYPE = "stcpr";

/** The wire's word for transports through messaging servers. */
export const MESSAGING_TYPE = "dmsg";

/** Our word for transports over WebSockets. */
export const WS_TYPE = "ws";
