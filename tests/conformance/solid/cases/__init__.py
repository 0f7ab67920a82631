"""One room per part of the specifications; each public function asks one requirement."""
