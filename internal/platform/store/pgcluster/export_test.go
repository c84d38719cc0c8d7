package pgcluster

import "os"

// Keeper is the process that keeps the server.
func (s *Cluster) Keeper() *os.Process { return s.keeper.Process }
