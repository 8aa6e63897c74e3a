// Mutants: deliberate sabotage, compiled only into the mutants build, that shows that a test can fail.
//
// if (SEERDB_MUTANT("log-skips-sync")) ... is constant false in every other build. In the mutants
// build the one named by the environment variable SEERDB_MUTANT is on. docs/testing.md lists them.
#pragma once

#if defined(SEERDB_MUTANTS)
namespace seerdb {
bool MutantActive(const char* name);
}
#define SEERDB_MUTANT(name) ::seerdb::MutantActive(name)
#else
#define SEERDB_MUTANT(name) false
#endif
