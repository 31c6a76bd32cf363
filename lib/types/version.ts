/** The version of this program: `major.minor.patch`. */
export const VERSION = "0.1.0";
