/** The stcp driver conforms, over real sockets and in a simulation. */

import { createStcpDriver } from "../../../lib/transport/drivers/stcp.ts";
import { testInSimulation, testOverSockets } from "./run_conformance.ts";

testOverSockets("stcp driver over sockets", createStcpDriver);
testInSimulation("stcp driver in a simulation", createStcpDriver);
